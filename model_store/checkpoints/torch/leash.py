"""A leash for the pickles in PyTorch's files: they may describe tensors, and do nothing else.

A pickle is a program. Its length is bounded before it runs, every size that it asks for lies inside
of its own bytes, and it may name only what stands below. It makes descriptions of tensors; arrays
are made of these when the values are read.
"""

import io
import math
import pickle
import pickletools
from collections import OrderedDict
from typing import IO, Any, NamedTuple

import ml_dtypes
import numpy as np

from model_store.checkpoints.checkpoint import Array

_DTYPES: dict[str, Any] = {
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "DoubleStorage": np.float64,
    "ComplexFloatStorage": np.complex64,
    "ComplexDoubleStorage": np.complex128,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
    "UntypedStorage": np.uint8,
}
_TYPES: dict[str, Any] = {
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
}
"""Types that have no storage of their own: the tensor says how to read the bytes."""

_MOST_OPCODES = 50_000
"""PyTorch writes about 30 a tensor, and the largest BERT has 400 tensors."""


class Storage(NamedTuple):
    """A run of values of one type, or a part of one.

    Attributes:
        key: its name in the file.
        dtype: the type of its values.
        size: how many values all of it has.
        start: where the part begins.
        length: how many values the part has.
    """

    key: str
    dtype: Any
    size: int
    start: int
    length: int


class Tensor(NamedTuple):
    """A tensor without its values: where in a storage they lie, in values and not in bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickle(file: IO[bytes]) -> tuple[Any, dict[str, Storage]]:
    """Return what one pickle holds, `Tensor`s for tensors; the file then stands behind it.

    Args:
        file: one that reads no more than there is, whatever it is asked for.

    Returns:
        The content, and the storages that it names, by key.

    Raises:
        Exception: whatever broken bytes make of a pickle.
    """
    start = file.tell()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        # To put an object under a number takes memory for all numbers below it.
        number = int(argument or 0) if opcode.name.endswith("PUT") else 0
        if max(count, number) > _MOST_OPCODES:
            message = "its pickle is longer than that of any BERT"
            raise pickle.UnpicklingError(message)
    end = file.tell()
    file.seek(start)
    unpickler = _TensorUnpickler(io.BytesIO(file.read(end - start)))
    return unpickler.load(), unpickler.storages


def make_array(tensor: Tensor, values: bytes) -> Array:
    """Return the part of a storage's values that is a tensor, checked to lie inside of it.

    Raises:
        ValueError: it does not.
    """
    storage, offset, shape, strides = tensor
    array = np.frombuffer(values, storage.dtype)
    if array.size < storage.size:
        message = f"the storage {storage.key} is cut short"
        raise ValueError(message)
    if not 0 <= storage.start <= storage.start + storage.length <= storage.size:
        message = f"a part of the storage {storage.key} lies outside of it"
        raise ValueError(message)
    if math.prod(shape) > storage.length:
        message = "a tensor is larger than its storage"
        raise ValueError(message)
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides), default=0) < 0 or (
        0 not in shape and last >= storage.length
    ):
        message = "a tensor lies outside of its storage"
        raise ValueError(message)
    return np.lib.stride_tricks.as_strided(
        array[storage.start + offset :],
        shape,
        [step * array.itemsize for step in strides],
        writeable=False,
    )


def _type_tensor(
    storage: Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    _requires_grad: Any,
    _hooks: Any,
    dtype: str,
    *_: Any,
) -> Tensor:
    """Return a tensor on a storage of bytes."""
    itemsize = np.dtype(_TYPES[dtype]).itemsize
    values = storage.size // itemsize
    return Tensor(Storage(storage.key, _TYPES[dtype], values, 0, values), offset, shape, strides)


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that can make dictionaries of `Tensor`s and nothing else."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what the pickle may call under this name.

        A pickle can set attributes of what it has got, so these are types that allow none, texts,
        and functions of its own.
        """
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: Tensor(
                storage, offset, shape, strides
            )
        if (module, name) == ("torch._utils", "_rebuild_tensor_v3"):
            return _type_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module in {"torch", "torch.storage"} and name in _DTYPES | _TYPES:
            return name
        message = f"it asks for {module}.{name}"
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage of an id; in older files that may say which part of it."""
        _, name, key, _, size, *rest = pid
        view = rest[0] if rest else None
        _, start, length = view or (key, 0, size)
        storage = Storage(key, _DTYPES[name], size, start, length)
        self.storages[key] = storage
        return storage
