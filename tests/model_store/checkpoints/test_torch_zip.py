"""`pytorch_model.bin` is read as data; what is more than data is refused unread."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_store.checkpoints.torch_zip import read_torch_zip
from model_store.errors import ModelLoadError


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
) -> Named:
    """Return a tensor as PyTorch pickles it."""
    kind = Named("torch", storage)
    pid = ("storage", kind, key, "cpu", len(values))
    args = (pid, offset, shape, strides, False, OrderedDict())
    return Named("torch._utils", "_rebuild_tensor_v2", args)


def write_bin(
    path: Path, content: Any, storages: dict[str, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    """Write a file as `torch.save` would."""
    buffer = io.BytesIO()
    TorchPickler(buffer, protocol=2).dump(content)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        for key, raw in storages.items():
            archive.writestr(f"archive/data/{key}", raw)
    return path


VALUES = np.arange(6, dtype=np.float32)


@pytest.mark.parametrize("wrapped", [False, True])
def test_tensors_are_read(tmp_path: Path, wrapped: bool) -> None:
    """Bare, and as parameters."""
    value = tensor(VALUES)
    if wrapped:
        value = Named("torch._utils", "_rebuild_parameter", (value, True, OrderedDict()))
    path = write_bin(tmp_path / "a.bin", OrderedDict(w=value), {"0": VALUES.tobytes()})
    assert read_torch_zip(path)["w"].tolist() == VALUES.reshape(2, 3).tolist()


def test_views_are_read(tmp_path: Path) -> None:
    """A transposed tensor keeps its storage and turns its strides."""
    value = tensor(VALUES, shape=(2, 2), strides=(1, 3), offset=1)
    path = write_bin(tmp_path / "a.bin", {"w": value}, {"0": VALUES.tobytes()})
    assert read_torch_zip(path)["w"].tolist() == [[1, 4], [2, 5]]


def test_what_is_no_tensor_is_left_out(tmp_path: Path) -> None:
    """A state_dict may hold versions and the like."""
    path = write_bin(tmp_path / "a.bin", {"version": 1}, {})
    assert read_torch_zip(path) == {}


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("posix", "x")]
)
def test_nothing_else_can_be_called(tmp_path: Path, module: str, name: str) -> None:
    """The command would make a directory; none is made."""
    made = tmp_path / "made"
    call = Named(module, name, (f"mkdir {made}",))
    path = write_bin(tmp_path / "a.bin", {"w": call}, {})
    with pytest.raises(ModelLoadError, match=f"{module}.{name}"):
        read_torch_zip(path)
    assert not os.path.lexists(made)


@pytest.mark.parametrize(
    "broken",
    [
        {"shape": (3, 3)},
        {"offset": 1},
        {"offset": -1},
        {"strides": (-3, 1)},
        {"shape": (10**6, 10**6), "strides": (0, 0)},
        {"key": "missing"},
        {"storage": "DoubleStorage"},
        {"storage": "QuantizedStorage"},
        {"shape": (2,)},
    ],
)
def test_a_tensor_outside_of_its_storage_is_refused(tmp_path: Path, broken: Any) -> None:
    """Sizes in the file are not believed."""
    path = write_bin(tmp_path / "a.bin", {"w": tensor(VALUES, **broken)}, {"0": VALUES.tobytes()})
    with pytest.raises(ModelLoadError, match="no plain file of tensors"):
        read_torch_zip(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    """PyTorch never compresses; a small file could unpack to a huge one."""
    storages = {"0": VALUES.tobytes()}
    path = write_bin(tmp_path / "a.bin", {"w": tensor(VALUES)}, storages, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelLoadError, match="compressed"):
        read_torch_zip(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02}q\x00."])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Cut short, empty, or a bare pickle of the old format."""
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match="safetensors"):
        read_torch_zip(path)


def test_a_file_without_a_state_dict_is_refused(tmp_path: Path) -> None:
    """A list of tensors has no names."""
    with pytest.raises(ModelLoadError, match="no state_dict"):
        read_torch_zip(write_bin(tmp_path / "a.bin", [1], {}))
