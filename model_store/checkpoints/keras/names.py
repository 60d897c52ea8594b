"""The datasets of KerasHub's weight files and the variables that they fill.

Keras names a layer after its class and counts: `transformer_encoder`, `transformer_encoder_1`, ...
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from model_store.encoder.config import EncoderConfig

Names: TypeAlias = Iterator[tuple[str, str]]
"""Datasets, and the paths of the variables that they fill."""

Parts: TypeAlias = Mapping[str, tuple[str, str, str]]
"""The parts of a layer: ours, and the names of their two variables."""

_EMBEDDINGS = {
    "layers/reversible_embedding/vars/0": "token_embedding/embeddings",
    "layers/position_embedding/vars/0": "position_embedding/embeddings",
    "layers/embedding/vars/0": "segment_embedding/embeddings",
}
_LAYER: Parts = {
    "_self_attention_layer/query_dense": ("query", "kernel", "bias"),
    "_self_attention_layer/key_dense": ("key", "kernel", "bias"),
    "_self_attention_layer/value_dense": ("value", "kernel", "bias"),
    "_self_attention_layer/output_dense": ("attention_output", "kernel", "bias"),
    "_self_attention_layer_norm": ("attention_layer_norm", "gamma", "beta"),
    "_feedforward_intermediate_dense": ("intermediate", "kernel", "bias"),
    "_feedforward_output_dense": ("feedforward_output", "kernel", "bias"),
    "_feedforward_layer_norm": ("feedforward_layer_norm", "gamma", "beta"),
}
_HEAD: Parts = {
    "_intermediate_dense": ("transform", "kernel", "bias"),
    "_intermediate_layer_norm": ("layer_norm", "gamma", "beta"),
}
_HEAD_LAYER = "layers/masked_lm_head"
DECODER = "masked_lm_head/decoder"
"""The variable of a head that does not project with the embeddings."""

OPTIMIZER_ITERATIONS = "optimizer/vars/0"
OPTIMIZER_LEARNING_RATE = "optimizer/vars/1"


def name_layer(class_name: str) -> str:
    """Return what Keras calls a layer of a class: `xlm_roberta_backbone` for one."""
    words = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(words, "_", class_name).lower()


def list_backbone_datasets(config: EncoderConfig) -> Names:
    """Yield dataset and variable path for BERT's `model.weights.h5`, without the pooler."""
    yield from list_embeddings()
    yield from list_layers("transformer_encoder", config.num_layers)


def list_embeddings() -> Names:
    """Yield the same for embeddings that are layers of their own, and their norm."""
    yield from _EMBEDDINGS.items()
    yield from list_part("layers/layer_normalization", "embeddings_layer_norm", "gamma", "beta")


def list_joint_embeddings() -> Names:
    """Yield the same for embeddings of tokens and positions in one layer, and their norm."""
    joint = "layers/token_and_position_embedding"
    yield f"{joint}/token_embedding/vars/0", "token_embedding/embeddings"
    yield f"{joint}/position_embedding/vars/0", "position_embedding/embeddings"
    yield from list_part("layers/layer_normalization", "embeddings_layer_norm", "gamma", "beta")


def list_layers(kind: str, num_layers: int, parts: Parts = _LAYER) -> Names:
    """Yield the same for all layers of a kind."""
    for index in range(num_layers):
        layer = f"layers/{kind}{f'_{index}' if index else ''}"
        yield from _list_parts(layer, f"transformer_layer_{index}", parts)


def list_head_datasets() -> Names:
    """Yield dataset and variable path for `task.weights.h5`."""
    yield from _list_parts(_HEAD_LAYER, "masked_lm_head", _HEAD)
    yield f"{_HEAD_LAYER}/vars/0", "masked_lm_head/bias"


def list_untied_head_datasets() -> Names:
    """Yield the same for a head whose projection is not the token embeddings."""
    yield from _list_parts(_HEAD_LAYER, "masked_lm_head", _HEAD)
    yield f"{_HEAD_LAYER}/vars/0", DECODER
    yield f"{_HEAD_LAYER}/vars/1", "masked_lm_head/bias"


def list_pooler_datasets(layer: str = "dense") -> Names:
    """Yield dataset and variable path for the pooler in `model.weights.h5`."""
    yield from list_part(f"layers/{layer}", "pooled_dense", "kernel", "bias")


def list_part(source: str, target: str, *variables: str) -> Names:
    """Yield the datasets of one layer's own variables, in their order."""
    for index, variable in enumerate(variables):
        yield f"{source}/vars/{index}", f"{target}/{variable}"


def _list_parts(source: str, target: str, parts: Parts) -> Names:
    for theirs, (ours, *variables) in parts.items():
        yield from list_part(f"{source}/{theirs}", f"{target}/{ours}", *variables)
