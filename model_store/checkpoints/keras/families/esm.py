"""KerasHub's ESM: proteins, normalised first, and a head with a projection of its own.

It leaves masks in the embeddings, which Transformers' ESM-2 leaves out (`token_dropout`): such a
model answers otherwise, so its head is only right if it was trained there.
"""

import reprlib
from dataclasses import replace

from model_store.checkpoints.config_fields import read_base
from model_store.checkpoints.keras.families.family import KerasFamily, Raw, read_shape, write_shape
from model_store.checkpoints.keras.names import (
    Names,
    Parts,
    list_layers,
    list_part,
    list_untied_head_datasets,
)
from model_store.checkpoints.keras.tokenizer_kinds import LETTERS
from model_store.checkpoints.keras.tokenizers import StoredTokenizer, read_letters
from model_store.encoder.config import EncoderConfig, HiddenAct
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError

_LAYER: Parts = {
    "attention_layer/q_dense": ("query", "kernel", "bias"),
    "attention_layer/k_dense": ("key", "kernel", "bias"),
    "attention_layer/v_dense": ("value", "kernel", "bias"),
    "attention_layer/o_dense": ("attention_output", "kernel", "bias"),
    "attention_norm": ("attention_layer_norm", "gamma", "beta"),
    "feedforward_intermediate_dense": ("intermediate", "kernel", "bias"),
    "feedforward_output_dense": ("feedforward_output", "kernel", "bias"),
    "feedforward_norm": ("feedforward_layer_norm", "gamma", "beta"),
}
_ACTIVATIONS: dict[str, HiddenAct] = {
    "gelu": "gelu",
    "linear": "linear",
    "mish": "mish",
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "tanh": "tanh",
}
"""Keras' names of those that compute as Transformers' do."""


def _read_config(fields: Raw) -> EncoderConfig:
    if fields.get("position_embedding_type", "rotary") != "rotary":
        message = (
            "config.json asks for learnt positions, which KerasHub's ESM counts from another one "
            "than ESM-1b; use a Transformers checkpoint of it."
        )
        raise ModelLoadError(message)
    given = fields.get("activation", "gelu")
    hidden_act = _ACTIVATIONS.get(given) if isinstance(given, str) else None
    if hidden_act is None:
        message = f"activation is {reprlib.repr(given)}, and none of {', '.join(_ACTIVATIONS)}"
        raise ValueError(message)
    epsilon = fields.get("layer_norm_eps", 1e-12)
    has_bias = fields.get("use_bias", True)
    return EncoderConfig(
        **{**read_shape(fields), "max_sequence_length": fields.get("max_sequence_length", 1024)},
        num_segments=0,
        hidden_act=hidden_act,
        layer_norm_epsilon=epsilon,
        head_hidden_act=hidden_act,
        head_layer_norm_epsilon=epsilon,
        tie_word_embeddings=False,
        family="esm",
        learned_positions=False,
        embeddings_norm=bool(fields.get("use_pre_layer_norm")),
        norm_first=True,
        final_norm=True,
        attention_bias=has_bias,
        feedforward_bias=has_bias,
        rotary_base=read_base({"max_wavelength": 10_000, **fields}, "max_wavelength"),
    )


def _write_config(config: EncoderConfig) -> Raw:
    named = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    return {
        **write_shape(config),
        "max_wavelength": config.rotary_base or 10_000,
        "use_bias": config.attention_bias,
        "activation": named.get(config.hidden_act, "gelu"),
        "layer_norm_eps": config.layer_norm_epsilon,
        "use_pre_layer_norm": config.embeddings_norm,
        "position_embedding_type": "rotary",
        "pad_token_id": 1,
    }


def _list_backbone(config: EncoderConfig) -> Names:
    norms = ["embeddings_layer_norm"] * config.embeddings_norm + ["final_layer_norm"]
    yield "layers/embedding/vars/0", "token_embedding/embeddings"
    for name, theirs in zip(norms, ("layer_normalization", "layer_normalization_1"), strict=False):
        yield from list_part(f"layers/{theirs}", name, "gamma", "beta")
    yield from list_layers("esm_encoder", config.num_layers, _LAYER)


def _read_tokenizer(stored: StoredTokenizer) -> SubwordTokenizer:
    tokenizer = read_letters(stored)
    padding = stored.backbone.get("pad_token_id", 0)
    if padding != tokenizer.pad_token_id:
        message = (
            f"pad_token_id is {reprlib.repr(padding)} and the tokenizer's {tokenizer.pad_token_id},"
            " so that the model does not see another token"
        )
        raise ValueError(message)
    return tokenizer


ESM = KerasFamily(
    name="esm",
    backbone="ESMBackbone",
    task="ESMMaskedPLM",
    read_config=_read_config,
    list_backbone=_list_backbone,
    tokenizer=replace(LETTERS, read=_read_tokenizer),
    list_head=list_untied_head_datasets,
    write_config=_write_config,
    splits_heads=False,
)
