"""KerasHub's DistilBERT: exact GELU everywhere, and no segments."""

from collections.abc import Iterator

from model_store.checkpoints.keras.families.family import KerasFamily, Raw, read_shape
from model_store.checkpoints.keras.names import (
    list_head_datasets,
    list_joint_embeddings,
    list_layers,
)
from model_store.checkpoints.keras.tokenizer_kinds import WORD_PIECE
from model_store.encoder.config import EncoderConfig


def _read_config(fields: Raw) -> EncoderConfig:
    return EncoderConfig(
        **read_shape(fields),
        num_segments=0,
        hidden_act="gelu",
        layer_norm_epsilon=1e-12,
        head_hidden_act="gelu",
        head_layer_norm_epsilon=1e-5,
        family="distilbert",
    )


def list_backbone(config: EncoderConfig) -> Iterator[tuple[str, str]]:
    """Yield the datasets of a backbone without segments and without a pooler."""
    yield from list_joint_embeddings()
    yield from list_layers("transformer_encoder", config.num_layers)


DISTILBERT = KerasFamily(
    name="distilbert",
    backbone="DistilBertBackbone",
    task="DistilBertMaskedLM",
    read_config=_read_config,
    list_backbone=list_backbone,
    tokenizer=WORD_PIECE,
    list_head=list_head_datasets,
)
