"""ESM-2 and ESM-1b (Lin et al., 2023; Rives et al., 2021): of proteins, and normalised first."""

import reprlib
from dataclasses import replace

import numpy as np

from model_store.checkpoints.checkpoint import Array
from model_store.checkpoints.config_fields import (
    explain_config,
    read_base,
    read_config_fields,
    write_config_fields,
)
from model_store.checkpoints.transformers.families.family import Family, Names, Raw, Tensors
from model_store.checkpoints.transformers.families.parts import (
    LM_HEAD,
    list_head,
    list_layer,
    list_part,
)
from model_store.checkpoints.transformers.families.roberta import (
    arrange_positions,
    count_positions,
    read_padding,
    restore_positions,
)
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_LAYER = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "attention.LayerNorm": "attention_layer_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "feedforward_output",
    "LayerNorm": "feedforward_layer_norm",
}
_POSITIONS = "esm.embeddings.position_embeddings.weight"
_DECODER = "lm_head.decoder.weight"
_BASE = 10_000.0
_TOLERANCE = 1e-2
"""Of what may be stored in half precision."""

_DEFAULTS = {"max_position_embeddings": 1026, "hidden_act": "gelu"}


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    _require_masked_lm(raw)
    # Transformers' code has GELU, whatever the field says.
    fields = {**_DEFAULTS, **raw, "hidden_act": "gelu", "type_vocab_size": 0}
    is_rotary = raw.get("position_embedding_type", "absolute") == "rotary"
    config = read_config_fields("config.json", fields, tied=tied)
    with explain_config("config.json"):
        return replace(
            config,
            family="esm",
            max_sequence_length=config.max_sequence_length - read_padding(raw) - 1,
            learned_positions=not is_rotary,
            skipped_token=None if is_rotary else read_padding(raw),
            embeddings_norm=bool(raw.get("emb_layer_norm_before")),
            dropped_token=_read_mask(raw) if raw.get("token_dropout") else None,
            norm_first=True,
            final_norm=True,
            rotary_base=read_base({"rope_theta": _BASE, **raw}, "rope_theta")
            if is_rotary
            else None,
        )


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    fields = {
        **write_config_fields(config),
        **count_positions(config, padding),
        "hidden_act": "gelu",
        "is_folding_model": False,
        "position_embedding_type": "absolute" if config.learned_positions else "rotary",
        "emb_layer_norm_before": config.embeddings_norm,
        "token_dropout": config.dropped_token is not None,
        "mask_token_id": config.dropped_token,
    }
    return fields if config.rotary_base is None else {**fields, "rope_theta": config.rotary_base}


def _require_masked_lm(raw: Raw) -> None:
    if raw.get("is_folding_model"):
        message = "config.json describes ESMFold, which fills no masks; use an ESM-2 checkpoint."
        raise ModelLoadError(message)
    if raw.get("position_embedding_type", "absolute") not in {"absolute", "rotary"}:
        message = "config.json asks for relative positions; use an ESM-2 checkpoint."
        raise ModelLoadError(message)


def _read_mask(raw: Raw) -> int:
    mask = raw["mask_token_id"]
    if type(mask) is not int:
        message = f"mask_token_id is {reprlib.repr(mask)}, which is no id"
        raise ValueError(message)
    return mask


def _arrange(tensors: Tensors, raw: Raw) -> Tensors:
    for name, tensor in tensors.items():
        if name.endswith(".inv_freq"):
            _require_usual_turn(name, tensor, raw)
    return arrange_positions(_POSITIONS, tensors, raw)


def _restore(tensors: Tensors, config: EncoderConfig, padding: int) -> Tensors:
    del config
    return restore_positions(_POSITIONS, tensors, padding)


def _require_usual_turn(name: str, tensor: Array, raw: Raw) -> None:
    """Refuse a rotation other than the config's: Transformers takes the one that is stored."""
    half = raw["hidden_size"] // raw["num_attention_heads"] // 2
    angles = raw.get("rope_theta", _BASE) ** -(np.arange(half) / half)
    if tensor.shape != angles.shape or not np.allclose(tensor, angles, rtol=_TOLERANCE, atol=0):
        message = f"{name} holds another rotation than config.json says; use the original weights."
        raise ModelLoadError(message)


def _list_tensors(config: EncoderConfig) -> Names:
    yield "esm.embeddings.word_embeddings.weight", "token_embedding/embeddings"
    if config.learned_positions:
        yield _POSITIONS, "position_embedding/embeddings"
    if config.embeddings_norm:
        yield from list_part("esm.embeddings.layer_norm", "embeddings_layer_norm")
    for index in range(config.num_layers):
        yield from list_layer(f"esm.encoder.layer.{index}", index, _LAYER)
    yield from list_part("esm.encoder.emb_layer_norm_after", "final_layer_norm")
    yield from list_head(LM_HEAD, "lm_head.bias", _DECODER, config)


ESM = Family(
    name="esm",
    title="ESM",
    model_types=("esm",),
    prefix="esm.",
    bare=("embeddings.", "encoder."),
    word_embeddings="esm.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias="",
    read_config=_read_config,
    list_tensors=_list_tensors,
    architecture="EsmForMaskedLM",
    write_config=_write_config,
    arrange=_arrange,
    restore=_restore,
    skips_padding=True,
)
