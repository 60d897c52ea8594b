"""ModernBERT (Warner et al., 2024) and what is of its shape.

Normalised first, rotary, gated, local attention in most layers, and hardly a bias.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from model_store.checkpoints.config_fields import (
    explain_config,
    read_activation,
    read_base,
    read_count,
    read_object,
)
from model_store.checkpoints.transformers.families.family import Family, Names, Raw, Tensors
from model_store.checkpoints.transformers.families.parts import (
    list_head,
    list_layer,
    list_part,
)
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_LAYER = {
    "attn.query": "query",
    "attn.key": "key",
    "attn.value": "value",
    "attn.Wo": "attention_output",
    "attn_norm": "attention_layer_norm",
    "mlp.Wi": "intermediate",
    "mlp.Wo": "feedforward_output",
    "mlp_norm": "feedforward_layer_norm",
}
_PARTS = ("query", "key", "value")
_HEAD = {"head.dense": "transform", "head.norm": "layer_norm"}
_DECODER = "decoder.weight"
_BIAS = "decoder.bias"
_WINDOW = "local_attention"
_EVERY = "global_attn_every_n_layers"
_GLOBAL, _LOCAL = "full_attention", "sliding_attention"
_BASES = {_GLOBAL: ("global_rope_theta", 160_000.0), _LOCAL: ("local_rope_theta", 10_000.0)}
"""The field of before Transformers 5, and what is taken where there is none."""


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    with explain_config("config.json"):
        epsilon = raw.get("norm_eps", 1e-5)
        config = EncoderConfig(
            vocabulary_size=raw["vocab_size"],
            num_layers=raw["num_hidden_layers"],
            num_heads=raw["num_attention_heads"],
            hidden_dim=raw["hidden_size"],
            intermediate_dim=raw["intermediate_size"],
            max_sequence_length=raw.get("max_position_embeddings", 8192),
            num_segments=0,
            dropout=raw.get("mlp_dropout", 0.0),
            hidden_act=read_activation("config.json", raw, "hidden_activation"),
            layer_norm_epsilon=epsilon,
            head_hidden_act=read_activation("config.json", raw, "classifier_activation"),
            head_layer_norm_epsilon=epsilon,
            tie_word_embeddings=tied,
            family="modernbert",
            learned_positions=False,
            norm_first=True,
            first_attention_norm=False,
            final_norm=True,
            attention_bias=raw.get("attention_bias", False),
            feedforward_bias=raw.get("mlp_bias", False),
            norm_bias=raw.get("norm_bias", False),
            transform_bias=raw.get("classifier_bias", False),
            decoder_bias=raw.get("decoder_bias", True),
            is_gated=True,
            rotary_base=_read_base(raw, _GLOBAL),
            local_reach=read_count({_WINDOW: 128, **raw}, _WINDOW) // 2,
            local_rotary_base=_read_base(raw, _LOCAL),
        )
        return replace(config, local_layers=tuple(_list_local(raw, config.num_layers)))


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    del padding
    kinds = [
        _LOCAL if layer in config.local_layers else _GLOBAL for layer in range(config.num_layers)
    ]
    bases = {_GLOBAL: config.rotary_base, _LOCAL: config.local_rotary_base}
    return {
        "vocab_size": config.vocabulary_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": config.max_sequence_length,
        "embedding_dropout": config.dropout,
        "attention_dropout": config.dropout,
        "mlp_dropout": config.dropout,
        "hidden_activation": config.hidden_act,
        "classifier_activation": config.head_hidden_act,
        "norm_eps": config.layer_norm_epsilon,
        "tie_word_embeddings": config.tie_word_embeddings,
        "attention_bias": config.attention_bias,
        "mlp_bias": config.feedforward_bias,
        "norm_bias": config.norm_bias,
        "classifier_bias": config.transform_bias,
        "decoder_bias": config.decoder_bias,
        _WINDOW: max(1, 2 * config.local_reach),
        "layer_types": kinds,
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": base} for kind, base in bases.items()
        },
    }


def _list_local(raw: Raw, num_layers: int) -> Iterator[int]:
    """Yield the layers that attend to what is nearby: those that are said, or all but each third.

    Raises:
        ValueError: that is no list of kinds, or no number.
    """
    kinds = raw.get("layer_types")
    if kinds is None:
        every = read_count({_EVERY: 3, **raw}, _EVERY)
        yield from (layer for layer in range(num_layers) if layer % every)
        return
    if not isinstance(kinds, list) or len(kinds) != num_layers or not set(kinds) <= set(_BASES):
        message = f"layer_types do not say of {num_layers} layers whether each is local"
        raise ValueError(message)
    yield from (layer for layer, kind in enumerate(kinds) if kind == _LOCAL)


def _read_base(raw: Raw, kind: str) -> float:
    """Return the base of the rotation in a kind of layers.

    Raises:
        ModelLoadError: it is scaled, as for texts longer than those of training.
    """
    stated = read_object("config.json", read_object("config.json", raw, "rope_parameters"), kind)
    if stated.get("rope_type", "default") != "default" or raw.get("rope_scaling"):
        message = "config.json asks for scaled rotary positions; use a checkpoint without them."
        raise ModelLoadError(message)
    field, usual = _BASES[kind]
    return read_base({"rope_theta": raw.get(field, usual), **stated}, "rope_theta")


def _arrange(tensors: Tensors, raw: Raw) -> Tensors:
    """Return tensors with query, key and value apart, which are stored one below the other."""
    del raw
    arranged = {}
    for name, tensor in tensors.items():
        layer, found, kind = name.partition(".Wqkv.")
        if not found or len(tensor) % 3:
            arranged[name] = tensor
            continue
        third = len(tensor) // 3
        for index, part in enumerate(_PARTS):
            arranged[f"{layer}.{part}.{kind}"] = tensor[index * third : (index + 1) * third]
    return arranged


def _restore(tensors: Tensors, config: EncoderConfig, padding: int) -> Tensors:
    del config, padding
    restored = dict(tensors)
    for name in tensors:
        layer, found, kind = name.partition(".query.")
        if found:
            parts = [restored.pop(f"{layer}.{part}.{kind}") for part in _PARTS]
            restored[f"{layer}.Wqkv.{kind}"] = np.concatenate(parts)
    return restored


def _list_tensors(config: EncoderConfig) -> Names:
    yield "model.embeddings.tok_embeddings.weight", "token_embedding/embeddings"
    yield from list_part("model.embeddings.norm", "embeddings_layer_norm")
    for index in range(config.num_layers):
        yield from list_layer(f"model.layers.{index}", index, _LAYER)
    yield from list_part("model.final_norm", "final_layer_norm")
    yield from list_head(_HEAD, _BIAS, _DECODER, config)


MODERNBERT = Family(
    name="modernbert",
    title="ModernBERT",
    model_types=("modernbert",),
    prefix="model.",
    bare=("embeddings.", "layers.", "final_norm."),
    word_embeddings="model.embeddings.tok_embeddings.weight",
    decoder=_DECODER,
    decoder_bias=_BIAS,
    read_config=_read_config,
    list_tensors=_list_tensors,
    architecture="ModernBertForMaskedLM",
    write_config=_write_config,
    arrange=_arrange,
    restore=_restore,
)
