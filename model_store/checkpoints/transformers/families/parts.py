"""The names that families took from BERT, and what no family may be asked for."""

from collections.abc import Mapping
from typing import Any

from model_store.checkpoints.config_fields import write_config_fields
from model_store.checkpoints.transformers.families.family import Names
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

EMBEDDINGS = {
    "word_embeddings": "token_embedding",
    "position_embeddings": "position_embedding",
    "token_type_embeddings": "segment_embedding",
}
LAYER = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "attention.output.LayerNorm": "attention_layer_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "feedforward_output",
    "output.LayerNorm": "feedforward_layer_norm",
}
LM_HEAD = {"lm_head.dense": "transform", "lm_head.layer_norm": "layer_norm"}
POOLER = "pooled_dense"


def list_encoder(prefix: str, config: EncoderConfig) -> Names:
    """Yield the tensors of an encoder under BERT's names."""
    for source, target in EMBEDDINGS.items():
        yield f"{prefix}embeddings.{source}.weight", f"{target}/embeddings"
    yield from list_part(f"{prefix}embeddings.LayerNorm", "embeddings_layer_norm")
    for index in range(config.num_layers):
        yield from list_layer(f"{prefix}encoder.layer.{index}", index, LAYER)


def list_layer(source: str, index: int, parts: Mapping[str, str]) -> Names:
    """Yield the tensors of the parts of a layer."""
    for theirs, ours in parts.items():
        yield from list_part(f"{source}.{theirs}", f"transformer_layer_{index}/{ours}")


def list_head(parts: Mapping[str, str], bias: str, decoder: str, config: EncoderConfig) -> Names:
    """Yield the tensors of a head."""
    for theirs, ours in parts.items():
        yield from list_part(theirs, f"masked_lm_head/{ours}")
    yield bias, "masked_lm_head/bias"
    if not config.tie_word_embeddings:
        yield decoder, "masked_lm_head/decoder"


def list_part(source: str, target: str) -> Names:
    """Yield the two tensors of a dense layer or of a layer normalisation."""
    is_layer_norm = target.endswith("layer_norm")
    yield f"{source}.weight", f"{target}/{'gamma' if is_layer_norm else 'kernel'}"
    yield f"{source}.bias", f"{target}/{'beta' if is_layer_norm else 'bias'}"


def write_usual(config: EncoderConfig, padding: int) -> dict[str, Any]:
    """Return the fields of a family that has BERT's."""
    del padding
    return write_config_fields(config)


def require_absolute(raw: dict[str, Any], title: str) -> None:
    """Refuse positions that are not learnt one by one.

    Raises:
        ModelLoadError: the config asks for them.
    """
    if raw.get("position_embedding_type", "absolute") != "absolute":
        message = (
            f"config.json asks for relative positions or a decoder; use a plain {title} encoder."
        )
        raise ModelLoadError(message)
