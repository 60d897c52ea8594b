"""KerasHub's BERT: GELU by its tanh approximation in the encoder, the exact one in the head."""

from itertools import chain

from model_store.checkpoints.keras.families.family import KerasFamily, Raw, read_shape, write_shape
from model_store.checkpoints.keras.names import (
    Names,
    list_backbone_datasets,
    list_head_datasets,
    list_pooler_datasets,
)
from model_store.checkpoints.keras.tokenizer_kinds import WORD_PIECE
from model_store.encoder.config import EncoderConfig


def _read_config(fields: Raw) -> EncoderConfig:
    return EncoderConfig(
        **read_shape(fields),
        num_segments=fields.get("num_segments", 2),
        hidden_act="gelu_new",
        layer_norm_epsilon=1e-12,
        head_hidden_act="gelu",
        head_layer_norm_epsilon=1e-5,
    )


def _write_config(config: EncoderConfig) -> Raw:
    return {**write_shape(config), "num_segments": config.num_segments}


def _list_backbone(config: EncoderConfig) -> Names:
    return chain(list_backbone_datasets(config), list_pooler_datasets())


BERT = KerasFamily(
    name="bert",
    backbone="BertBackbone",
    task="BertMaskedLM",
    read_config=_read_config,
    list_backbone=_list_backbone,
    tokenizer=WORD_PIECE,
    list_head=list_head_datasets,
    write_config=_write_config,
)
