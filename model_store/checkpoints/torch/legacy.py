"""PyTorch's files before 1.6: pickles one after the other, then the values.

a number          that tells such a file from others
1001              the version of the format
a dictionary      about the machine that wrote it; values are little-endian on all of them
the content       with an id for every storage
a list            the keys of the storages
for each of them  how many values it has, as 8 bytes little-endian, and its values
"""

import mmap
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from model_store.checkpoints.torch.leash import read_pickle

_NUMBER = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_COUNT_BYTES = 8


def read_torch_legacy(path: Path) -> tuple[Any, dict[str, bytes]]:
    """Return what the pickle holds, and the bytes of every storage by its key.

    Raises:
        Exception: the file is broken, of another format, or its pickle wants more than tensors.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        # Unlike a file, a map takes no memory for bytes that it does not have.
        opened = cast("IO[bytes]", mapped)
        if [read_pickle(opened)[0] for _ in range(2)] != [_NUMBER, _VERSION]:
            message = "it is of no format of PyTorch's"
            raise ValueError(message)
        read_pickle(opened)
        content, storages = read_pickle(opened)
        keys, _ = read_pickle(opened)
        return content, {
            key: _read_values(opened, np.dtype(storages[key].dtype).itemsize) for key in keys
        }


def _read_values(file: IO[bytes], itemsize: int) -> bytes:
    count = int.from_bytes(file.read(_COUNT_BYTES), "little", signed=True)
    values = file.read(count * itemsize) if count > 0 else b""
    if len(values) != count * itemsize:
        message = "it is cut short"
        raise ValueError(message)
    return values
