"""Weights in several files, and the index that names them: `{"weight_map": {tensor: file}}`."""

import re
import reprlib
from collections.abc import Callable
from pathlib import Path

from model_store.checkpoints.checkpoint import Array
from model_store.checkpoints.config_fields import read_object
from model_store.checkpoints.files import read_json
from model_store.errors import ModelLoadError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
"""A file beside the index: no path leads out of the directory."""

_MOST_SHARDS = 512


def list_shards(index: Path) -> list[str]:
    """Return the names of the files that an index names, in order.

    Raises:
        ModelLoadError: it is no index, or a name is none of a file beside it.
    """
    names = set(map(str, read_object(index.name, read_json(index), "weight_map").values()))
    bad = next((name for name in sorted(names) if not _NAME.fullmatch(name)), None)
    if bad is not None:
        message = (
            f"{index.name} names {reprlib.repr(bad)}, which is no file beside it; fetch it again."
        )
        raise ModelLoadError(message)
    if not 0 < len(names) <= _MOST_SHARDS:
        message = (
            f"{index.name} names {len(names)} files and may name 1 to {_MOST_SHARDS}; "
            "save the model in one file."
        )
        raise ModelLoadError(message)
    return sorted(names)


def read_shards(index: Path, read: Callable[[Path], dict[str, Array]]) -> dict[str, Array]:
    """Return the tensors of all files that an index names.

    Raises:
        ModelLoadError: a file is missing or broken, or a tensor stands in two of them.
    """
    tensors: dict[str, Array] = {}
    for name in list_shards(index):
        shard = read(index.with_name(name))
        twice = next(iter(shard.keys() & tensors.keys()), None)
        if twice is not None:
            message = f"The tensor {reprlib.repr(twice)} stands in two files; save the model anew."
            raise ModelLoadError(message)
        tensors |= shard
    return tensors
