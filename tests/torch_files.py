"""Files as `torch.save` writes them, made without PyTorch; their parts may be wrong on purpose."""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


class Named:
    """Pickles as the global `module.name`, so that PyTorch is not needed to write its files."""

    def __init__(self, module: str, name: str, args: tuple[Any, ...] | None = None) -> None:
        """Name a global, and what it is called with."""
        self.module, self.name, self.args = module, name, args


class TorchPickler(pickle._Pickler):
    """Writes what PyTorch's own pickler writes: persistent ids for storages."""

    def persistent_id(self, obj: Any) -> Any:
        """Return the id of a storage, which is a tuple that says so."""
        return obj if isinstance(obj, tuple) and obj[:1] == ("storage",) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # noqa: FBT002
        """Write a global, or a call of one."""
        if not isinstance(obj, Named):
            super().save(obj, save_persistent_id)
            return
        self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())
        if obj.args is not None:
            self.save(obj.args)
            self.write(pickle.REDUCE)


def tensor(
    values: Any,
    *,
    key: str = "0",
    storage: str = "FloatStorage",
    shape: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
    offset: int = 0,
    view: tuple[Any, ...] = (),
) -> Named:
    """Return a tensor as PyTorch pickles it; `view` ends the id of its storage in older files."""
    kind = Named("torch", storage)
    pid = ("storage", kind, key, "cpu", len(values), *view)
    args = (pid, offset, shape, strides, False, OrderedDict())
    return Named("torch._utils", "_rebuild_tensor_v2", args)


def write_zip(
    path: Path, content: Any, storages: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    """Write a file as PyTorch has since 1.6."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(content))
        archive.writestr("archive/version", b"3\n")
        for key, raw in storages.items():
            archive.writestr(f"archive/data/{key}", raw)
    return path


def write_legacy(
    path: Path,
    content: Any,
    storages: Mapping[str, bytes],
    itemsizes: Mapping[str, int] | None = None,
) -> Path:
    """Write a file as PyTorch did before 1.6; every value has four bytes unless told otherwise."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [0x1950A86A20F9469CFC6C, 1001, machine, content, sorted(storages)]
    values = [
        (len(storages[key]) // (itemsizes or {}).get(key, 4)).to_bytes(8, "little") + storages[key]
        for key in sorted(storages)
    ]
    path.write_bytes(b"".join([pickled(part) for part in head] + values))
    return path


_STORAGES = {
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "float64": "DoubleStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


def write_state_dict(path: Path, arrays: Mapping[str, Any], write: Any) -> Path:
    """Write arrays as `torch.save` writes a `state_dict`; a view of an array shares its storage."""
    bases: dict[int, tuple[str, Any]] = {}
    content: OrderedDict[str, Any] = OrderedDict()
    for name, array in arrays.items():
        is_view = isinstance(array.base, np.ndarray) and array.base.size == array.size
        base = array.base if is_view else array
        key, _ = bases.setdefault(id(base), (str(len(bases)), base))
        content[name] = tensor(
            base.ravel(),
            key=key,
            storage=_STORAGES[array.dtype.name],
            shape=array.shape,
            strides=tuple(step // array.itemsize for step in array.strides),
            view=(None,) if write is write_legacy else (),
        )
    storages = {key: base.tobytes() for key, base in bases.values()}
    if write is write_legacy:
        return write_legacy(
            path, content, storages, {key: base.itemsize for key, base in bases.values()}
        )
    return Path(write(path, content, storages))


def pickled(content: Any) -> bytes:
    """Return a pickle as PyTorch writes it."""
    buffer = io.BytesIO()
    TorchPickler(buffer, protocol=2).dump(content)
    return buffer.getvalue()
