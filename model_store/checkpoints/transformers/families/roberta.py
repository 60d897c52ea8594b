"""RoBERTa (Liu et al., 2019) and what is of its shape: CamemBERT, XLM-RoBERTa, BERTweet, CodeBERT.

Positions are counted from the one behind that of padding, so the rows of the table before it are
never looked up. They are left out.
"""

import reprlib
from dataclasses import replace

from model_store.checkpoints.config_fields import explain_config, read_config_fields
from model_store.checkpoints.transformers.families.family import Family, Names, Raw, Tensors
from model_store.checkpoints.transformers.families.parts import (
    LM_HEAD,
    POOLER,
    list_encoder,
    list_head,
    list_part,
    require_absolute,
)
from model_store.encoder.config import EncoderConfig

_POSITIONS = "roberta.embeddings.position_embeddings.weight"
_DECODER = "lm_head.decoder.weight"
_PADDING = 1
"""The id of padding where a config does not say it."""


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    require_absolute(raw, "RoBERTa")
    config = read_config_fields("config.json", raw, tied=tied)
    with explain_config("config.json"):
        return replace(
            config,
            family="roberta",
            max_sequence_length=config.max_sequence_length - count_skipped(raw),
            head_hidden_act="gelu",
        )


def count_skipped(raw: Raw) -> int:
    """Return how many rows of the table of positions come before the first.

    Raises:
        ValueError: the id of padding is none.
    """
    padding = raw.get("pad_token_id", _PADDING)
    if type(padding) is not int or padding < 0:
        message = f"pad_token_id is {reprlib.repr(padding)}, which is no id"
        raise ValueError(message)
    return padding + 1


def _arrange(tensors: Tensors, raw: Raw) -> Tensors:
    if _POSITIONS not in tensors:
        return tensors
    return {**tensors, _POSITIONS: tensors[_POSITIONS][count_skipped(raw) :]}


def _list_tensors(config: EncoderConfig) -> Names:
    yield from list_encoder("roberta.", config)
    yield from list_part("roberta.pooler.dense", POOLER)
    yield from list_head(LM_HEAD, "lm_head.bias", _DECODER, config)


ROBERTA = Family(
    name="roberta",
    title="RoBERTa",
    model_types=("roberta", "camembert", "xlm-roberta"),
    prefix="roberta.",
    bare=("embeddings.", "encoder.", "pooler."),
    word_embeddings="roberta.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias="lm_head.decoder.bias",
    read_config=_read_config,
    list_tensors=_list_tensors,
    arrange=_arrange,
)
