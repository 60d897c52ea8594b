"""The datasets of KerasHub's weight files and the variables that they fill.

Keras names a layer after its class and counts: `transformer_encoder`, `transformer_encoder_1`, ...
"""

from collections.abc import Iterator

from model_store.encoder.config import EncoderConfig

_EMBEDDINGS = {
    "layers/reversible_embedding/vars/0": "token_embedding/embeddings",
    "layers/position_embedding/vars/0": "position_embedding/embeddings",
    "layers/embedding/vars/0": "segment_embedding/embeddings",
    "layers/layer_normalization/vars/0": "embeddings_layer_norm/gamma",
    "layers/layer_normalization/vars/1": "embeddings_layer_norm/beta",
}
_LAYER = {
    "_self_attention_layer/query_dense": ("query", "kernel", "bias"),
    "_self_attention_layer/key_dense": ("key", "kernel", "bias"),
    "_self_attention_layer/value_dense": ("value", "kernel", "bias"),
    "_self_attention_layer/output_dense": ("attention_output", "kernel", "bias"),
    "_self_attention_layer_norm": ("attention_layer_norm", "gamma", "beta"),
    "_feedforward_intermediate_dense": ("intermediate", "kernel", "bias"),
    "_feedforward_output_dense": ("feedforward_output", "kernel", "bias"),
    "_feedforward_layer_norm": ("feedforward_layer_norm", "gamma", "beta"),
}
_HEAD = {
    "layers/masked_lm_head/_intermediate_dense/vars/0": "masked_lm_head/transform/kernel",
    "layers/masked_lm_head/_intermediate_dense/vars/1": "masked_lm_head/transform/bias",
    "layers/masked_lm_head/_intermediate_layer_norm/vars/0": "masked_lm_head/layer_norm/gamma",
    "layers/masked_lm_head/_intermediate_layer_norm/vars/1": "masked_lm_head/layer_norm/beta",
    "layers/masked_lm_head/vars/0": "masked_lm_head/bias",
}
_POOLER = {
    "layers/dense/vars/0": "pooled_dense/kernel",
    "layers/dense/vars/1": "pooled_dense/bias",
}
OPTIMIZER_ITERATIONS = "optimizer/vars/0"
OPTIMIZER_LEARNING_RATE = "optimizer/vars/1"


def list_backbone_datasets(config: EncoderConfig) -> Iterator[tuple[str, str]]:
    """Yield dataset and variable path for `model.weights.h5`, without the pooler."""
    yield from _EMBEDDINGS.items()
    for layer_index in range(config.num_layers):
        layer = f"layers/transformer_encoder{f'_{layer_index}' if layer_index else ''}"
        for source, (target, *variables) in _LAYER.items():
            for index, variable in enumerate(variables):
                path = f"transformer_layer_{layer_index}/{target}/{variable}"
                yield f"{layer}/{source}/vars/{index}", path


def list_head_datasets() -> Iterator[tuple[str, str]]:
    """Yield dataset and variable path for `task.weights.h5`."""
    yield from _HEAD.items()


def list_pooler_datasets() -> Iterator[tuple[str, str]]:
    """Yield dataset and variable path for the pooler in `model.weights.h5`."""
    yield from _POOLER.items()
