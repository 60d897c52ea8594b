"""KerasHub's ALBERT: GELU by its tanh approximation everywhere, few layers run many times."""

from model_store.checkpoints.config_fields import read_count
from model_store.checkpoints.keras.families.family import KerasFamily, Raw, read_shape, write_shape
from model_store.checkpoints.keras.names import (
    Names,
    list_embeddings,
    list_head_datasets,
    list_layers,
    list_part,
    list_pooler_datasets,
)
from model_store.checkpoints.keras.tokenizer_kinds import ALBERT_UNIGRAM
from model_store.encoder.config import EncoderConfig
from model_store.encoder.layer_groups import find_groups, order_layers

_DEFAULTS = {"num_groups": 1, "num_inner_repetitions": 1, "dropout": 0.0}


def _read_config(fields: Raw) -> EncoderConfig:
    fields = {**_DEFAULTS, **fields}
    steps, groups, inner = (
        read_count(fields, name) for name in ("num_layers", "num_groups", "num_inner_repetitions")
    )
    if steps % groups:
        message = f"num_layers {steps} does not divide by {groups} groups"
        raise ValueError(message)
    return EncoderConfig(
        **{**read_shape(fields), "num_layers": groups * inner},
        num_segments=fields.get("num_segments", 2),
        hidden_act="gelu_new",
        layer_norm_epsilon=1e-12,
        head_hidden_act="gelu_new",
        head_layer_norm_epsilon=1e-5,
        family="albert",
        embedding_dim=read_count(fields, "embedding_dim"),
        layer_order=order_layers(steps, groups, inner),
    )


def _write_config(config: EncoderConfig) -> Raw:
    steps, groups, inner = find_groups(config.steps, config.num_layers)
    return {
        **write_shape(config),
        "num_layers": steps,
        "num_groups": groups,
        "num_inner_repetitions": inner,
        "num_segments": config.num_segments,
        "embedding_dim": config.embeddings_width,
    }


def _list_backbone(config: EncoderConfig) -> Names:
    yield from list_embeddings()
    yield from list_part("layers/dense", "embedding_projection", "kernel", "bias")
    yield from list_layers("transformer_encoder", config.num_layers)
    yield from list_pooler_datasets("dense_1")


ALBERT = KerasFamily(
    name="albert",
    backbone="AlbertBackbone",
    task="AlbertMaskedLM",
    read_config=_read_config,
    list_backbone=_list_backbone,
    tokenizer=ALBERT_UNIGRAM,
    list_head=list_head_datasets,
    write_config=_write_config,
)
