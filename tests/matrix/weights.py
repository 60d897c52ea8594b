"""Checkpoints that differ in their weights, and in the files that hold them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from matrix.row import (
    BIN,
    BIN_PARTS,
    GONE,
    OLD_BIN,
    SAFETENSORS,
    SAFETENSORS_PARTS,
    VOCAB,
    Row,
    Tensors,
)
from matrix.usual import ROWS, SHAPE, write_weights
from tiny_checkpoints import make_tensors

EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
DECODER = "cls.predictions.decoder.weight"
BIAS = "cls.predictions.bias"
_ALL = (SAFETENSORS, SAFETENSORS_PARTS, BIN, OLD_BIN, BIN_PARTS)
_INDEX = "model.safetensors.index.json"
_BIN_INDEX = "pytorch_model.bin.index.json"


def rename(old: str, new: str) -> Callable[[Tensors], None]:
    """Return a change of names."""

    def change(tensors: Tensors) -> None:
        for name in list(tensors):
            tensors[name.replace(old, new)] = tensors.pop(name)

    return change


def prefix(before: str) -> Callable[[Tensors], None]:
    """Return a change that puts something before every name."""

    def change(tensors: Tensors) -> None:
        for name in list(tensors):
            tensors[before + name] = tensors.pop(name)

    return change


def add(name: str, value: Any) -> Callable[[Tensors], None]:
    """Return a change that adds a tensor."""
    return lambda tensors: tensors.update({name: np.asarray(value)})


def cast(dtype: Any) -> Callable[[Tensors], None]:
    """Return a change of every tensor's type."""

    def change(tensors: Tensors) -> None:
        tensors.update({name: tensor.astype(dtype) for name, tensor in tensors.items()})

    return change


def both(*changes: Callable[[Tensors], Any]) -> Callable[[Tensors], None]:
    """Return several changes as one."""

    def change(tensors: Tensors) -> None:
        for one in changes:
            one(tensors)

    return change


def drop(end: str) -> Callable[[Tensors], None]:
    """Return a change that takes away what ends so."""

    def change(tensors: Tensors) -> None:
        for name in [name for name in tensors if name.endswith(end)]:
            del tensors[name]

    return change


def as_views(tensors: Tensors) -> None:
    """Lay every matrix out by columns, as a `.t()` that was saved."""
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            tensors[name] = np.ascontiguousarray(tensor.T).T


def share_decoder(tensors: Tensors) -> None:
    """Save the tied decoder as the same storage."""
    tensors[DECODER] = tensors[EMBEDDINGS].reshape(tensors[EMBEDDINGS].shape)


def other_weights(layout: str) -> Callable[[Path], None]:
    """Return a change that puts weights of another seed beside the checkpoint's."""
    return lambda path: write_weights(path.parent, make_tensors(ROWS, SHAPE, seed=1), layout)


def one_tensor(name: str, part: str) -> Any:
    """Return an index that says of one tensor where it lies."""
    return {"weight_map": {name: part}}


_OLD_NAMES = both(
    rename("LayerNorm.weight", "LayerNorm.gamma"), rename("LayerNorm.bias", "LayerNorm.beta")
)
_BARE = rename("bert.", "")

WEIGHTS = [
    Row("nothing", layouts=_ALL),
    Row("gamma and beta", tensors=_OLD_NAMES),
    Row("the decoder's bias alone", tensors=rename(BIAS, "cls.predictions.decoder.bias")),
    Row("another bias of the decoder", tensors=add("cls.predictions.decoder.bias", [3.0] * ROWS)),
    Row("a copy of the tied decoder", tensors=lambda t: t.update({DECODER: t[EMBEDDINGS].copy()})),
    Row("a shared storage for the decoder", tensors=share_decoder),
    Row(
        "another decoder, though tied",
        tensors=lambda t: t.update({DECODER: t[EMBEDDINGS][::-1].copy()}),
    ),
    Row("a pooler", tensors=add("bert.pooler.dense.weight", np.ones((16, 16), np.float32))),
    Row(
        "a next-sentence head",
        tensors=add("cls.seq_relationship.weight", np.ones((2, 16), np.float32)),
    ),
    *(
        Row(
            f"a buffer of {name}",
            tensors=add("bert.embeddings.position_ids", np.ones((1, 64), name)),
        )
        for name in ("int64", "int32", "int16", "int8", "uint8", "bool", "float16", "float64")
    ),
    Row(
        "a buffer of complex64",
        tensors=add("extra", np.ones(3, np.complex64)),
        layouts=(BIN, OLD_BIN),
    ),
    Row("float16", tensors=cast(np.float16)),
    Row("bfloat16", tensors=cast(ml_dtypes.bfloat16)),
    Row("float64", tensors=cast(np.float64)),
    Row(
        "a layer more than the config has",
        tensors=add("bert.encoder.layer.2.output.dense.bias", [1.0] * 16),
    ),
    Row("what the optimiser left", tensors=add("bert.adam_m", np.ones(3, np.float32))),
    Row("matrices by columns", tensors=as_views),
    Row("no bert. before the encoder", tensors=_BARE),
    Row("module. before all", tensors=prefix("module."), twin="nothing"),
    Row("module. before all, no bert.", tensors=both(_BARE, prefix("module.")), twin="nothing"),
    Row("_orig_mod. before all", tensors=prefix("_orig_mod."), twin="nothing"),
    Row("roberta. instead of bert.", tensors=rename("bert.", "roberta.")),
    Row("electra. instead of bert.", tensors=rename("bert.", "electra.")),
    Row("model. before all", tensors=prefix("model.")),
    Row("no head", tensors=drop("predictions.transform.dense.weight")),
    Row("no bias of the head", tensors=drop("cls.predictions.bias")),
    Row("no word embeddings", tensors=drop("word_embeddings.weight")),
    Row("a part of a layer missing", tensors=drop("layer.1.output.dense.bias")),
    Row("a kernel of int8", tensors=lambda t: t.update({BIAS: t[BIAS].astype(np.int8)})),
]

LAYOUTS = [
    Row(
        "safetensors beside another bin",
        {"pytorch_model.bin": other_weights(BIN)},
        layouts=(SAFETENSORS,),
    ),
    Row("bin beside another in parts", {_BIN_INDEX: other_weights(BIN_PARTS)}, layouts=(BIN,)),
    Row(
        "safetensors beside others in parts",
        {_INDEX: other_weights(SAFETENSORS_PARTS)},
        layouts=(SAFETENSORS,),
    ),
    Row(
        "bin beside other safetensors in parts",
        {_INDEX: other_weights(SAFETENSORS_PARTS)},
        layouts=(BIN,),
    ),
    Row("no weights", {"model.safetensors": GONE}, layouts=(SAFETENSORS,)),
    Row(
        "weights of TensorFlow only",
        {"model.safetensors": GONE, "tf_model.h5": "x"},
        layouts=(SAFETENSORS,),
    ),
    Row("a part missing", {"model-00002-of-00003.safetensors": GONE}, layouts=(SAFETENSORS_PARTS,)),
    Row("a part of bin missing", {"pytorch_model-00002-of-00003.bin": GONE}, layouts=(BIN_PARTS,)),
    Row("an index without a map", {_INDEX: {"weight_map": GONE}}, layouts=(SAFETENSORS_PARTS,)),
    Row(
        "an index out of the directory",
        {_INDEX: one_tensor("a", "../model.safetensors")},
        layouts=(SAFETENSORS_PARTS,),
    ),
    Row(
        "an index to an absolute path",
        {_BIN_INDEX: one_tensor("a", "/etc/passwd")},
        layouts=(BIN_PARTS,),
    ),
    Row(
        "an index of one part of three",
        {_INDEX: one_tensor("a", "model-00001-of-00003.safetensors")},
        layouts=(SAFETENSORS_PARTS,),
    ),
    Row(
        "an index without its metadata",
        {_INDEX: {"metadata": GONE}},
        layouts=(SAFETENSORS_PARTS,),
        twin="nothing",
    ),
    Row(
        "CRLF in the vocabulary",
        {"vocab.txt": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))},
        layouts=(VOCAB,),
    ),
]
