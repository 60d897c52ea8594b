"""Transformers' format: `config.json`, weights, and a tokenizer.

config.json             the shape; `model_type` names the family, or its class or its weights do
model.safetensors       the weights under the family's names, or else
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
from model_store.checkpoints.transformers.config import read_config
from model_store.checkpoints.transformers.families import find_family
from model_store.checkpoints.transformers.families.family import Family, Tensors
from model_store.checkpoints.transformers.pruned_heads import restore_heads
from model_store.checkpoints.transformers.tensors import read_tensors
from model_store.checkpoints.transformers.tokenizers import read_tokenizer
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_FLOATS = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)


def read_transformers_dir(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a directory that Transformers' `save_pretrained` wrote for a masked LM.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model of no family that is known.
    """
    config, variables = read_transformers_model(directory, weights=weights)
    return Checkpoint(config, read_tokenizer(directory), variables)


def read_transformers_model(
    directory: Path, *, weights: bool = True
) -> tuple[EncoderConfig, Variables]:
    """Read such a directory without its tokenizer.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model of no family that is known.
    """
    raw = read_json(directory / "config.json")
    family = find_family(raw)
    # What the config refuses is said before anything is said of weights.
    config = read_config(family, raw, tied=bool(raw.get("tie_word_embeddings", True)))
    tensors = family.arrange(read_tensors(directory, family), raw) if weights else {}
    config = read_config(family, raw, tied=_is_tied(family, config, tensors))
    return config, restore_heads(raw, config, _name(family, config, tensors))


def _is_tied(family: Family, config: EncoderConfig, tensors: Tensors) -> bool:
    """Say whether the decoder is the word embeddings: by the config, and by what is stored."""
    tied = config.tie_word_embeddings
    if not tied or family.decoder not in tensors:
        return tied
    embeddings = tensors.get(family.word_embeddings)
    return embeddings is not None and np.array_equal(tensors[family.decoder], embeddings)


def _name(family: Family, config: EncoderConfig, tensors: Tensors) -> Variables:
    """Return the tensors by the path of our variable, kernels turned to `[in, out]`.

    What the file lacks is left out: the loader knows what it needs.
    """
    variables = {
        path: _take(tensors, name).T if path.endswith("/kernel") else _take(tensors, name)
        for name, path in family.list_tensors(config)
        if name in tensors
    }
    # Transformers adds the decoder's bias, which is the head's unless one of its own is stored.
    if family.decoder_bias in tensors:
        variables["masked_lm_head/bias"] = _take(tensors, family.decoder_bias)
    return variables


def _take(tensors: Tensors, name: str) -> Array:
    """Return a tensor, which holds the numbers themselves: no scaled integers, for one."""
    tensor = tensors[name]
    if tensor.dtype not in _FLOATS:
        message = f"{name} holds {tensor.dtype}; use weights that are no quantised ones."
        raise ModelLoadError(message)
    return tensor
