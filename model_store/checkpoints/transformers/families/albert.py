"""ALBERT (Lan et al., 2020): few layers run many times, and embeddings are narrower than they."""

import re
from dataclasses import replace

from model_store.checkpoints.config_fields import (
    explain_config,
    read_config_fields,
    read_count,
    write_config_fields,
)
from model_store.checkpoints.transformers.families.family import Family, Names, Raw, Tensors
from model_store.checkpoints.transformers.families.parts import (
    EMBEDDINGS,
    list_head,
    list_layer,
    list_part,
    require_absolute,
)
from model_store.encoder.config import EncoderConfig
from model_store.encoder.layer_groups import find_groups, order_layers

_DEFAULTS = {
    "embedding_size": 128,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.0,
}
"""What Transformers takes where a config does not say it."""

_LAYER = {
    "attention.query": "query",
    "attention.key": "key",
    "attention.value": "value",
    "attention.dense": "attention_output",
    "attention.LayerNorm": "attention_layer_norm",
    "ffn": "intermediate",
    "ffn_output": "feedforward_output",
    "full_layer_layer_norm": "feedforward_layer_norm",
}
_LAYERS = "albert.encoder.layers."
_COUNTED = re.compile(r"^albert\.encoder\.layers\.([0-9]+)\.")
_GROUPED = re.compile(
    r"^albert\.encoder\.albert_layer_groups\.([0-9]{1,4})\.albert_layers\.([0-9]{1,4})\."
)
_HEAD = {"predictions.dense": "transform", "predictions.LayerNorm": "layer_norm"}
_DECODER = "predictions.decoder.weight"


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    require_absolute(raw, "ALBERT")
    fields = {**_DEFAULTS, **raw}
    config = read_config_fields("config.json", fields, tied=tied)
    with explain_config("config.json"):
        groups, inner = (
            read_count(fields, name) for name in ("num_hidden_groups", "inner_group_num")
        )
        return replace(
            config,
            family="albert",
            num_layers=groups * inner,
            embedding_dim=read_count(fields, "embedding_size"),
            layer_order=order_layers(config.num_layers, groups, inner),
        )


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    del padding
    steps, groups, inner = find_groups(config.steps, config.num_layers)
    return {
        **write_config_fields(config),
        "embedding_size": config.embeddings_width,
        "num_hidden_layers": steps,
        "num_hidden_groups": groups,
        "inner_group_num": inner,
    }


def _list_tensors(config: EncoderConfig) -> Names:
    for source, target in EMBEDDINGS.items():
        yield f"albert.embeddings.{source}.weight", f"{target}/embeddings"
    yield from list_part("albert.embeddings.LayerNorm", "embeddings_layer_norm")
    yield from list_part("albert.encoder.embedding_hidden_mapping_in", "embedding_projection")
    for index in range(config.num_layers):
        yield from list_layer(f"{_LAYERS}{index}", index, _LAYER)
    yield from list_part("albert.pooler", "pooled_dense")
    yield from list_head(_HEAD, "predictions.bias", _DECODER, config)


def _arrange(tensors: Tensors, raw: Raw) -> Tensors:
    """Return tensors in which the layers of all groups are counted through."""
    inner = read_count({**_DEFAULTS, **raw}, "inner_group_num")

    def count(match: re.Match[str]) -> str:
        group, layer = int(match[1]), int(match[2])
        return f"{_LAYERS}{group * inner + layer}." if layer < inner else match[0]

    return {_GROUPED.sub(count, name): tensor for name, tensor in tensors.items()}


def _restore(tensors: Tensors, config: EncoderConfig, padding: int) -> Tensors:
    del padding
    *_, inner = find_groups(config.steps, config.num_layers)

    def group(match: re.Match[str]) -> str:
        number, layer = divmod(int(match[1]), inner)
        return f"albert.encoder.albert_layer_groups.{number}.albert_layers.{layer}."

    return {_COUNTED.sub(group, name): tensor for name, tensor in tensors.items()}


ALBERT = Family(
    name="albert",
    title="ALBERT",
    model_types=("albert",),
    prefix="albert.",
    bare=("embeddings.", "encoder.", "pooler."),
    word_embeddings="albert.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias="predictions.decoder.bias",
    read_config=_read_config,
    list_tensors=_list_tensors,
    architecture="AlbertForMaskedLM",
    write_config=_write_config,
    arrange=_arrange,
    restore=_restore,
)
