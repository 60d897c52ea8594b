"""Transformers' format: `config.json`, weights, and a tokenizer.

config.json             the shape; `model_type` is `bert`, or its class or its weights say so
model.safetensors       the weights, `bert.*` and `cls.predictions.*`, or else
pytorch_model.bin       the same as PyTorch saves them; either may be in parts, with an index
tokenizer.json          the tokenizer, or else
vocab.txt               its entries, one a line
tokenizer_config.json   optional; its class and its options
special_tokens_map.json, added_tokens.json  optional; what older versions said there
"""

from pathlib import Path

import ml_dtypes
import numpy as np

from model_store.checkpoints.checkpoint import Array, Checkpoint, Variables
from model_store.checkpoints.files import read_json
from model_store.checkpoints.transformers.config import read_bert_config
from model_store.checkpoints.transformers.names import (
    DECODER,
    DECODER_BIAS,
    WORD_EMBEDDINGS,
    list_tensors,
)
from model_store.checkpoints.transformers.pruned_heads import restore_heads
from model_store.checkpoints.transformers.tensors import Tensors, read_tensors
from model_store.checkpoints.transformers.tokenizer import read_tokenizer
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_FLOATS = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)


def read_transformers_dir(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a directory that Transformers' `save_pretrained` wrote for `BertForMaskedLM`.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model that is no BERT masked LM.
    """
    raw = read_json(directory / "config.json")
    # What the config refuses is said before anything is said of weights.
    config = read_bert_config(raw, tied=bool(raw.get("tie_word_embeddings", True)))
    tensors = read_tensors(directory) if weights else {}
    config = read_bert_config(raw, tied=_is_tied(config, tensors))
    tokenizer = read_tokenizer(directory)
    return Checkpoint(config, tokenizer, restore_heads(raw, config, _name(config, tensors)))


def _is_tied(config: EncoderConfig, tensors: Tensors) -> bool:
    """Say whether the decoder is the word embeddings: by the config, and by what is stored."""
    tied = config.tie_word_embeddings
    if not tied or DECODER not in tensors:
        return tied
    embeddings = tensors.get(WORD_EMBEDDINGS)
    return embeddings is not None and np.array_equal(tensors[DECODER], embeddings)


def _name(config: EncoderConfig, tensors: Tensors) -> Variables:
    """Return the tensors by the path of our variable, kernels turned to `[in, out]`.

    What the file lacks is left out: the loader knows what it needs.
    """
    variables = {
        path: _take(tensors, name).T if path.endswith("/kernel") else _take(tensors, name)
        for name, path in list_tensors(config)
        if name in tensors
    }
    # Transformers adds the decoder's bias, which is the head's unless one of its own is stored.
    if DECODER_BIAS in tensors:
        variables["masked_lm_head/bias"] = _take(tensors, DECODER_BIAS)
    return variables


def _take(tensors: Tensors, name: str) -> Array:
    """Return a tensor, which holds the numbers themselves: no scaled integers, for one."""
    tensor = tensors[name]
    if tensor.dtype not in _FLOATS:
        message = f"{name} holds {tensor.dtype}; use weights that are no quantised ones."
        raise ModelLoadError(message)
    return tensor
