"""RoBERTa (Liu et al., 2019) and what is of its shape: CamemBERT, XLM-RoBERTa, BERTweet, CodeBERT.

Positions are counted from the one behind that of padding, so the rows of the table before that are
never looked up. They are left out. That of padding is, where a text holds such a token: it goes to
the end of the table, and the token takes no other position.
"""

import reprlib
from dataclasses import replace

import numpy as np

from model_store.checkpoints.config_fields import (
    explain_config,
    read_config_fields,
    write_config_fields,
)
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
from model_store.encoder.tokenizers.spelling import MetaspaceSpelling

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
            max_sequence_length=config.max_sequence_length - read_padding(raw) - 1,
            skipped_token=read_padding(raw),
            head_hidden_act="gelu",
        )


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    return {**write_config_fields(config), **count_positions(config, padding)}


def count_positions(config: EncoderConfig, padding: int) -> Raw:
    """Return the field with the rows of the table of positions, the skipped ones included."""
    return {"max_position_embeddings": config.max_sequence_length + padding + 1}


def read_padding(raw: Raw) -> int:
    """Return the id of padding, which is its row in the table of positions too.

    Raises:
        ValueError: the id of padding is none.
    """
    padding = raw.get("pad_token_id", _PADDING)
    if type(padding) is not int or padding < 0:
        message = f"pad_token_id is {reprlib.repr(padding)}, which is no id"
        raise ValueError(message)
    return padding


def arrange_positions(name: str, tensors: Tensors, raw: Raw) -> Tensors:
    """Return tensors whose table of positions begins with the first, and ends with padding's.

    Args:
        name: that of the table, which may be missing.
        tensors: those of a checkpoint.
        raw: its `config.json`.
    """
    if name not in tensors:
        return tensors
    table, padding = tensors[name], read_padding(raw)
    return {**tensors, name: np.concatenate([table[padding + 1 :], table[padding : padding + 1]])}


def restore_positions(name: str, tensors: Tensors, padding: int) -> Tensors:
    """Return the inverse of `arrange_positions`; rows that are never looked up are zeros."""
    if name not in tensors:
        return tensors
    table = tensors[name]
    unused = np.zeros_like(table, shape=(padding, table.shape[1]))
    return {**tensors, name: np.concatenate([unused, table[-1:], table[:-1]])}


def _arrange(tensors: Tensors, raw: Raw) -> Tensors:
    return arrange_positions(_POSITIONS, tensors, raw)


def _restore(tensors: Tensors, config: EncoderConfig, padding: int) -> Tensors:
    del config
    return restore_positions(_POSITIONS, tensors, padding)


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
    architecture="RobertaForMaskedLM",
    write_config=_write_config,
    arrange=_arrange,
    restore=_restore,
    skips_padding=True,
    spelled={MetaspaceSpelling: ("xlm-roberta", "XLMRobertaForMaskedLM")},
)
