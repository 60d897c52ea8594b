"""ELECTRA's generators (Clark et al., 2020): BERT with narrower embeddings."""

from dataclasses import replace

from model_store.checkpoints.config_fields import (
    explain_config,
    read_config_fields,
    read_count,
    write_config_fields,
)
from model_store.checkpoints.transformers.families.family import Family, Names, Raw
from model_store.checkpoints.transformers.families.parts import (
    list_encoder,
    list_head,
    list_part,
    require_absolute,
)
from model_store.encoder.config import EncoderConfig

_HEAD = {
    "generator_predictions.dense": "transform",
    "generator_predictions.LayerNorm": "layer_norm",
}
_DECODER = "generator_lm_head.weight"
_BIAS = "generator_lm_head.bias"
_EMBEDDING_SIZE = 128
"""What Transformers takes where a config does not say it."""


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    require_absolute(raw, "ELECTRA")
    config = read_config_fields("config.json", raw, tied=tied)
    with explain_config("config.json"):
        width = read_count({"embedding_size": _EMBEDDING_SIZE, **raw}, "embedding_size")
        return replace(
            config,
            family="electra",
            embedding_dim=None if width == config.hidden_dim else width,
            head_hidden_act="gelu",
        )


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    del padding
    return {**write_config_fields(config), "embedding_size": config.embeddings_width}


def _list_tensors(config: EncoderConfig) -> Names:
    yield from list_encoder("electra.", config)
    if config.embedding_dim is not None:
        yield from list_part("electra.embeddings_project", "embedding_projection")
    yield from list_head(_HEAD, _BIAS, _DECODER, config)


ELECTRA = Family(
    name="electra",
    title="ELECTRA",
    model_types=("electra",),
    prefix="electra.",
    bare=("embeddings.", "embeddings_project.", "encoder."),
    word_embeddings="electra.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias=_BIAS,
    read_config=_read_config,
    list_tensors=_list_tensors,
    architecture="ElectraForMaskedLM",
    write_config=_write_config,
)
