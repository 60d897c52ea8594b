"""BERT (Devlin et al., 2019). Transformers took its names from Google's, with dots for slashes."""

from model_store.checkpoints.config_fields import read_config_fields
from model_store.checkpoints.transformers.families.family import Family, Names, Raw
from model_store.checkpoints.transformers.families.parts import (
    POOLER,
    list_encoder,
    list_head,
    list_part,
    require_absolute,
    write_usual,
)
from model_store.encoder.config import EncoderConfig

HEAD_BIAS = "cls.predictions.bias"
_DECODER = "cls.predictions.decoder.weight"
_HEAD = {
    "cls.predictions.transform.dense": "transform",
    "cls.predictions.transform.LayerNorm": "layer_norm",
}


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    require_absolute(raw, "BERT")
    return read_config_fields("config.json", raw, tied=tied)


def list_tensors(config: EncoderConfig) -> Names:
    """Yield tensor name and variable path; a tensor is the transpose of a `kernel`."""
    yield from list_encoder("bert.", config)
    # A pooler may be there or not: no masked LM needs one.
    yield from list_part("bert.pooler.dense", POOLER)
    yield from list_head(_HEAD, HEAD_BIAS, _DECODER, config)


BERT = Family(
    name="bert",
    title="BERT",
    model_types=("bert",),
    prefix="bert.",
    bare=("embeddings.", "encoder.", "pooler."),
    word_embeddings="bert.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias="cls.predictions.decoder.bias",
    read_config=_read_config,
    list_tensors=list_tensors,
    architecture="BertForMaskedLM",
    write_config=write_usual,
)
