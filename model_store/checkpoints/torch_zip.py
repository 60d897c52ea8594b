"""Reading `pytorch_model.bin` without PyTorch, as data: nothing in the file is ever run.

Since PyTorch 1.6 such a file is a zip archive of one pickle and one raw file a storage. A pickle
is a program, so this one runs on a leash: it may name the few functions below, which build tensors,
and nothing else. Older files are refused.
"""

import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from model_store.checkpoints.checkpoint import Array
from model_store.errors import ModelLoadError

_STORAGES: dict[str, Any] = {
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "DoubleStorage": np.float64,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "BoolStorage": np.bool_,
}


def read_torch_zip(path: Path) -> dict[str, Array]:
    """Return the tensors of a `state_dict` by name.

    Raises:
        ModelLoadError: the file is broken, of the old format, or holds more than tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = _TensorUnpickler(archive).load()
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        OSError,
        EOFError,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        message = f"{path.name} is no plain file of tensors ({error}); save it as safetensors."
        raise ModelLoadError(message) from error
    if not isinstance(content, dict):
        message = f"{path.name} holds no state_dict; save the model as safetensors."
        raise ModelLoadError(message)
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, np.ndarray)}


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that can make dictionaries of tensors and nothing else."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            message = "it holds no single data.pkl"
            raise zipfile.BadZipFile(message)
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            message = "it is compressed, which PyTorch's own never are"
            raise zipfile.BadZipFile(message)
        super().__init__(archive.open(pickles[0]))
        self._archive = archive
        self._root = pickles[0].removesuffix("data.pkl")

    def find_class(self, module: str, name: str) -> Any:
        """Return what the pickle may call under this name."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _rebuild_parameter
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        message = f"it asks for {module}.{name}"
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> Array:
        """Return the values of a storage."""
        _, dtype, key, _, elements = pid
        values = np.frombuffer(self._archive.read(f"{self._root}data/{key}"), dtype)
        if values.size < elements:
            message = f"the storage {key} is cut short"
            raise ValueError(message)
        return values


def _rebuild_tensor(
    storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Array:
    """Return the part of a storage that is a tensor, checked to lie inside of it."""
    if math.prod(shape) > storage.size:
        message = "a tensor is larger than its storage"
        raise ValueError(message)
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides), default=0) < 0 or (0 not in shape and last >= storage.size):
        message = "a tensor lies outside of its storage"
        raise ValueError(message)
    item = storage.itemsize
    view = np.lib.stride_tricks.as_strided(
        storage[offset:], shape, [step * item for step in strides], writeable=False
    )
    return np.ascontiguousarray(view)


def _rebuild_parameter(data: Array, *_: Any) -> Array:
    """Return the tensor that a parameter wraps."""
    return data
