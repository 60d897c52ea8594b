"""Attention heads that were cut out: Transformers' `pruned_heads`, `{layer: [head, ...]}`.

A head with no weights adds nothing to what is attended to. So zeros stand for it, and all layers
have one shape.
"""

import reprlib
from typing import Any

import numpy as np

from model_store.checkpoints.checkpoint import Array, Variables
from model_store.checkpoints.config_fields import read_object
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_MOST_HEADS = 64
"""A head that is there may stand for as many: no file becomes larger in memory than that."""

_AXES = {
    "query/kernel": 1,
    "query/bias": 0,
    "key/kernel": 1,
    "key/bias": 0,
    "value/kernel": 1,
    "value/bias": 0,
    "attention_output/kernel": 0,
}
"""The axis of each variable along which the heads lie."""


def restore_heads(raw: dict[str, Any], config: EncoderConfig, variables: Variables) -> Variables:
    """Return variables with zeros for the heads that a `config.json` says are cut out.

    What has its full shape is left as it is: Transformers 5 does not hear the field.

    Raises:
        ModelLoadError: the field is nothing of the kind.
    """
    restored = dict(variables)
    for layer, pruned in read_object("config.json", raw, "pruned_heads").items():
        kept = _list_kept(config, pruned)
        for name, axis in _AXES.items():
            path = f"transformer_layer_{layer}/{name}"
            if path in variables:
                restored[path] = _spread(variables[path], axis, kept, config)
    return restored


def _list_kept(config: EncoderConfig, pruned: Any) -> list[int]:
    """Return the heads of a layer that have weights."""
    is_list = isinstance(pruned, list) and all(type(head) is int for head in pruned)
    if not is_list or config.num_heads > _MOST_HEADS:
        message = (
            f"config.json's pruned_heads hold {reprlib.repr(pruned)}, which are no heads of up to "
            f"{_MOST_HEADS}; take it from the original checkpoint."
        )
        raise ModelLoadError(message)
    return [head for head in range(config.num_heads) if head not in set(pruned)]


def _spread(array: Array, axis: int, kept: list[int], config: EncoderConfig) -> Array:
    """Return an array with the kept heads in their places and zeros between them."""
    head_dim = config.hidden_dim // config.num_heads
    if array.ndim <= axis or not kept or array.shape[axis] != len(kept) * head_dim:
        return array
    places = np.concatenate([np.arange(head_dim) + head * head_dim for head in kept])
    full = np.zeros([*array.shape[:axis], config.hidden_dim, *array.shape[axis + 1 :]], array.dtype)
    full[(slice(None),) * axis + (places,)] = array
    return full
