"""Checkpoints of a family that differ in their weights, and in the files that hold them."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from matrix.families.usual import Usual
from matrix.row import (
    BIN,
    BIN_PARTS,
    OLD_BIN,
    SAFETENSORS,
    SAFETENSORS_PARTS,
    Row,
    Tensors,
)
from matrix.weights import add, both, cast, drop, prefix, rename

_NORM = "LayerNorm"
_OLD_NAMES = both(
    rename(f"{_NORM}.weight", f"{_NORM}.gamma"), rename(f"{_NORM}.bias", f"{_NORM}.beta")
)
_UNTIED = {"config.json": {"tie_word_embeddings": False}}


def change(name: str, function: Callable[[Any], Any]) -> Callable[[Tensors], None]:
    """Return a change of one tensor, which must be there."""

    def apply(tensors: Tensors) -> None:
        tensors[name] = np.ascontiguousarray(function(tensors[name]))

    return apply


def copy(source: str, target: str, function: Callable[[Any], Any]) -> Callable[[Tensors], None]:
    """Return a change that adds a tensor made of another one."""
    return lambda tensors: tensors.update({target: function(tensors[source])})


def list_basics(usual: Usual) -> list[Row]:
    """Return the rows that tell whether a family is read at all."""
    bare = rename(usual.prefix, "")
    return [
        Row("nothing", layouts=(SAFETENSORS, SAFETENSORS_PARTS, BIN, OLD_BIN)),
        Row("float16", tensors=cast(np.float16), layouts=(BIN_PARTS,)),
        Row("bfloat16", tensors=cast(ml_dtypes.bfloat16), layouts=(SAFETENSORS_PARTS,)),
        Row("no prefix before the encoder", tensors=bare, layouts=(SAFETENSORS,)),
        Row("a decoder of its own", _UNTIED, list_decoder(usual), layouts=(BIN,)),
    ]


def list_decoder(usual: Usual) -> Callable[[Tensors], None]:
    """Return a change that gives the head a decoder of its own, and its bias."""
    changes = [copy(usual.embeddings, usual.decoder, lambda table: np.flip(table, 0).copy())]
    if usual.decoder_bias:
        changes.append(copy(usual.bias, usual.decoder_bias, lambda bias: np.flip(bias).copy()))
    return both(*changes)


def list_weights(usual: Usual) -> list[Row]:
    """Return the rows of a family."""
    return [
        *list_basics(usual),
        *_list_names(usual),
        *_list_heads(usual),
        *_list_wrong(usual),
    ]


def _list_names(usual: Usual) -> list[Row]:
    rows = [
        Row("module. before all", tensors=prefix("module."), layouts=(BIN,), twin="nothing"),
        Row("other. before all", tensors=prefix("other."), layouts=(SAFETENSORS,)),
        Row(
            "a buffer of positions",
            tensors=add(f"{usual.prefix}embeddings.position_ids", np.ones((1, 250), np.int64)),
            layouts=(SAFETENSORS,),
        ),
    ]
    if _NORM in usual.transform or usual.family in {"electra", "roberta", "albert", "esm"}:
        rows.append(Row("gamma and beta", tensors=_OLD_NAMES, layouts=(BIN,)))
    return rows


def _list_heads(usual: Usual) -> list[Row]:
    rows = [
        Row("a decoder of its own", _UNTIED, list_decoder(usual), layouts=(SAFETENSORS,)),
        Row(
            "a decoder of its own that is missing",
            _UNTIED,
            drop(usual.decoder),
            layouts=(SAFETENSORS,),
        ),
        Row(
            "a copy of the tied decoder",
            tensors=copy(usual.embeddings, usual.decoder, lambda table: table.copy()),
            layouts=(SAFETENSORS,),
        ),
        Row(
            "another decoder, though tied",
            tensors=copy(usual.embeddings, usual.decoder, lambda table: table[::-1].copy()),
            layouts=(SAFETENSORS,),
        ),
        Row("no head", tensors=drop(usual.transform), layouts=(SAFETENSORS,)),
        Row("no bias of the head", tensors=drop(usual.bias), layouts=(BIN,)),
    ]
    if usual.decoder_bias:
        bias = rename(usual.bias, usual.decoder_bias)
        other = copy(usual.bias, usual.decoder_bias, lambda bias: bias + 3)
        rows += [
            Row("the decoder's bias alone", tensors=bias, layouts=(SAFETENSORS,)),
            Row("another bias of the decoder", tensors=other, layouts=(SAFETENSORS,)),
        ]
    return rows


def _list_wrong(usual: Usual) -> list[Row]:
    embeddings, part = usual.embeddings, usual.part
    return [
        Row("no word embeddings", tensors=drop(embeddings), layouts=(SAFETENSORS,)),
        Row("a part of a layer missing", tensors=drop(part), layouts=(BIN,)),
        Row(
            "a part of a layer too short",
            tensors=change(part, lambda tensor: tensor[:-1]),
            layouts=(SAFETENSORS,),
        ),
    ]
