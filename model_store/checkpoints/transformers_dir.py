"""The Transformers format: `config.json`, `model.safetensors`, and a tokenizer.

config.json            `model_type` is `bert`; the shape
model.safetensors      the weights, `bert.*` and `cls.predictions.*`, or else
pytorch_model.bin      the same as PyTorch saves them
tokenizer.json         the tokenizer, or else
vocab.txt              its entries, one a line
tokenizer_config.json  optional; what it says wins over `tokenizer.json`, as in Transformers
"""

import json
import reprlib
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from model_store.bert.config import BertConfig
from model_store.bert.tokenizer import BertTokenizer, SpecialTokens
from model_store.checkpoints.checkpoint import Array, Checkpoint, Variables
from model_store.checkpoints.config_fields import read_config_fields
from model_store.checkpoints.files import read_json, read_vocabulary
from model_store.checkpoints.torch_file import read_torch_file
from model_store.checkpoints.transformers_names import (
    DECODER,
    DECODER_BIAS,
    HEAD_BIAS,
    WORD_EMBEDDINGS,
    list_tensors,
)
from model_store.errors import ModelLoadError

_SAFETENSORS = "model.safetensors"
_TORCH_FILE = "pytorch_model.bin"
_LONGEST_REASON = 200
_SAMPLE = "The [MASK] 北 é \u0378."
"""Has a character that no vocabulary has."""

_TOKENIZER_CLASSES = {
    "BertTokenizer",
    "BertTokenizerFast",
    "PreTrainedTokenizerFast",
    "TokenizersBackend",
}


def is_transformers_dir(config: dict[str, Any]) -> bool:
    """Say whether a `config.json` is one of Transformers'."""
    return "model_type" in config


def read_transformers_dir(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a directory that Transformers' `save_pretrained` wrote for `BertForMaskedLM`.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model that is no BERT masked LM.
    """
    raw = read_json(directory / "config.json")
    tensors = _read_tensors(directory) if weights else {}
    config = _read_config(raw, tied=_is_tied(raw, tensors))
    return Checkpoint(config, read_tokenizer(directory), _name_variables(config, tensors))


def _read_config(raw: dict[str, Any], *, tied: bool) -> BertConfig:
    if raw["model_type"] != "bert":
        described = reprlib.repr(raw["model_type"])
        message = f"config.json describes a {described} model; use a BERT checkpoint."
        raise ModelLoadError(message)
    if raw.get("position_embedding_type", "absolute") != "absolute" or raw.get("is_decoder"):
        message = "config.json asks for relative positions or a decoder; use a plain BERT encoder."
        raise ModelLoadError(message)
    return read_config_fields("config.json", raw, tied=tied)


def _read_tensors(directory: Path) -> dict[str, Array]:
    """Return the tensors of a checkpoint by name, in their stored precision."""
    if (directory / _SAFETENSORS).is_file():
        tensors = _read_safetensors(directory / _SAFETENSORS)
    elif (directory / _TORCH_FILE).is_file():
        tensors = read_torch_file(directory / _TORCH_FILE)
    else:
        message = f"{_SAFETENSORS} is missing; save the model with safetensors."
        raise ModelLoadError(message)
    return {_modern_name(name): tensor for name, tensor in tensors.items()}


def _read_safetensors(path: Path) -> dict[str, Array]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        reason = shorten(str(error), _LONGEST_REASON)
        message = f"{path.name} cannot be read ({reason}); fetch it again."
        raise ModelLoadError(message) from error


def _modern_name(name: str) -> str:
    """Return a tensor's name with LayerNorm's old spellings replaced."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _is_tied(raw: dict[str, Any], tensors: dict[str, Array]) -> bool:
    """Say whether the decoder is the word embeddings: by the config, and by what is stored."""
    tied = bool(raw.get("tie_word_embeddings", True))
    if not tied or DECODER not in tensors:
        return tied
    embeddings = tensors.get(WORD_EMBEDDINGS)
    return embeddings is not None and np.array_equal(tensors[DECODER], embeddings)


def _name_variables(config: BertConfig, tensors: dict[str, Array]) -> Variables:
    """Return the tensors by the path of our variable, kernels turned to `[in, out]`.

    What the file lacks is left out: the loader knows what it needs.
    """
    variables = {
        path: tensors[name].T if path.endswith("/kernel") else tensors[name]
        for name, path in list_tensors(config)
        if name in tensors
    }
    # Transformers adds the decoder's bias. Tied it is the head's; untied it has a life of its own.
    if DECODER_BIAS in tensors and not (config.tie_word_embeddings and HEAD_BIAS in tensors):
        variables["masked_lm_head/bias"] = tensors[DECODER_BIAS]
    return variables


def read_tokenizer(directory: Path) -> BertTokenizer:
    """Read the tokenizer of a directory.

    Raises:
        ModelLoadError: its files are missing, broken, or of a tokenizer that is not BERT's.
    """
    path = directory / "tokenizer_config.json"
    options = read_json(path) if path.is_file() else {}
    tokenizer_class = options.get("tokenizer_class", "BertTokenizer")
    if not isinstance(tokenizer_class, str) or tokenizer_class not in _TOKENIZER_CLASSES:
        described = reprlib.repr(tokenizer_class)
        message = f"The tokenizer is a {described}; use a checkpoint with a BertTokenizer."
        raise ModelLoadError(message)
    special_tokens = _read_special_tokens(options)
    clean_up_spaces = bool(options.get("clean_up_tokenization_spaces"))
    try:
        if (directory / "tokenizer.json").is_file():
            tokenizer = _read_tokenizer_json(directory / "tokenizer.json", options)
            return BertTokenizer(tokenizer, special_tokens, clean_up_spaces=clean_up_spaces)
        return BertTokenizer.from_vocabulary(
            read_vocabulary(directory / "vocab.txt"),
            lowercase=options.get("do_lower_case", True),
            strip_accents=options.get("strip_accents"),
            split_cjk=options.get("tokenize_chinese_chars", True),
            special_tokens=special_tokens,
            clean_up_spaces=clean_up_spaces,
        )
    except (TypeError, ValueError) as error:
        message = f"The tokenizer cannot be used: {error}; fetch its files again."
        raise ModelLoadError(message) from error


def _read_tokenizer_json(path: Path, options: dict[str, Any]) -> Tokenizer:
    """Read a `tokenizer.json`, its BERT normalizer overruled by `tokenizer_config.json`."""
    content = read_json(path)
    normalizer = content.get("normalizer")
    if isinstance(normalizer, dict) and normalizer.get("type") == "BertNormalizer":
        for option, field in (
            ("do_lower_case", "lowercase"),
            ("strip_accents", "strip_accents"),
            ("tokenize_chinese_chars", "handle_chinese_chars"),
        ):
            normalizer[field] = options.get(option, normalizer.get(field))
    try:
        tokenizer = Tokenizer.from_str(json.dumps(content))
        # What lacks an entry that it names is read well, and fails at the first text that needs it.
        tokenizer.decode(tokenizer.encode(_SAMPLE).ids)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library raises bare Exceptions, and panics that are none
        raise ValueError(shorten(str(error), _LONGEST_REASON)) from error
    return tokenizer


def _read_special_tokens(options: dict[str, Any]) -> SpecialTokens:
    """Return the special tokens; Transformers stores their texts bare or as objects."""
    texts: dict[str, str] = {}
    for name in ("pad", "unk", "cls", "sep", "mask"):
        token = options.get(f"{name}_token")
        text = token.get("content") if isinstance(token, dict) else token
        if isinstance(text, str) and text:
            texts[name] = text
        elif token:
            message = f"The {name}_token of tokenizer_config.json is no text; fetch it again."
            raise ModelLoadError(message)
    return SpecialTokens(**texts)
