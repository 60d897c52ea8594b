"""`pytorch_model.bin` is read as data; what is more than data is refused unread."""

import importlib
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_store.checkpoints.torch.file import read_torch_file
from model_store.checkpoints.torch.leash import read_pickle
from model_store.errors import ModelLoadError
from torch_files import Named, pickled, tensor, write_legacy, write_zip

VALUES = np.arange(6, dtype=np.float32)
STORAGES = {"0": VALUES.tobytes()}

both_formats = pytest.mark.parametrize("write", [write_zip, write_legacy])


@both_formats
@pytest.mark.parametrize("wrapped", [False, True])
def test_tensors_are_read(tmp_path: Path, write: Any, wrapped: bool) -> None:
    """Bare, and as parameters."""
    value = tensor(VALUES)
    if wrapped:
        value = Named("torch._utils", "_rebuild_parameter", (value, True, OrderedDict()))
    path = write(tmp_path / "a.bin", OrderedDict(w=value), STORAGES)
    assert read_torch_file(path)["w"].tolist() == VALUES.reshape(2, 3).tolist()


@both_formats
def test_transposed_tensors_are_read(tmp_path: Path, write: Any) -> None:
    """A transposed tensor keeps its storage and turns its strides."""
    value = tensor(VALUES, shape=(2, 2), strides=(1, 3), offset=1)
    path = write(tmp_path / "a.bin", {"w": value}, STORAGES)
    assert read_torch_file(path)["w"].tolist() == [[1, 4], [2, 5]]


@both_formats
def test_several_storages_are_told_apart(tmp_path: Path, write: Any) -> None:
    """By their keys, each of its own type."""
    content = {
        "a": tensor(VALUES, key="1"),
        "b": tensor(VALUES[:2], key="0", storage="IntStorage", shape=(2,), strides=(1,)),
    }
    numbers = np.array([7, 8], np.int32)
    path = write(tmp_path / "a.bin", content, {"0": numbers.tobytes(), "1": VALUES.tobytes()})
    read = read_torch_file(path)
    assert read["a"].tolist() == VALUES.reshape(2, 3).tolist()
    assert (read["b"].tolist(), read["b"].dtype) == ([7, 8], np.int32)


@pytest.mark.parametrize("view", [(None,), (("9", 0, 6),)])
def test_storages_that_are_wholes_are_read(tmp_path: Path, view: Any) -> None:
    """The ids of older files end in a part, or in none."""
    path = write_legacy(tmp_path / "a.bin", {"w": tensor(VALUES, view=view)}, STORAGES)
    assert read_torch_file(path)["w"].tolist() == VALUES.reshape(2, 3).tolist()


def test_parts_of_storages_are_read(tmp_path: Path) -> None:
    """Each its own part of one storage."""
    content = {
        name: tensor(VALUES, shape=(2,), strides=(1,), view=((name, start, 2),))
        for name, start in (("a", 1), ("b", 4))
    }
    read = read_torch_file(write_legacy(tmp_path / "a.bin", content, STORAGES))
    assert {name: array.tolist() for name, array in read.items()} == {"a": [1, 2], "b": [4, 5]}


@both_formats
def test_what_is_no_tensor_is_left_out(tmp_path: Path, write: Any) -> None:
    """A state_dict may hold versions and the like, and names that are none."""
    path = write(tmp_path / "a.bin", {"version": 1, 2: tensor(VALUES)}, STORAGES)
    assert read_torch_file(path) == {}


@both_formats
@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("posix", "x")]
)
def test_nothing_else_can_be_called(tmp_path: Path, write: Any, module: str, name: str) -> None:
    """The command would make a directory; none is made."""
    made = tmp_path / "made"
    call = Named(module, name, (f"mkdir {made}",))
    path = write(tmp_path / "a.bin", {"w": call}, {})
    with pytest.raises(ModelLoadError, match=f"{module}.{name}"):
        read_torch_file(path)
    assert not os.path.lexists(made)


@pytest.mark.parametrize("part", range(5))
def test_no_part_of_an_old_file_can_call(tmp_path: Path, part: int) -> None:
    """Each of its five pickles is on the leash."""
    path = write_legacy(tmp_path / "a.bin", {}, {})
    pickles = split_pickles(path.read_bytes())
    pickles[part] = pickled(Named("os", "system", (f"mkdir {tmp_path / 'made'}",)))
    path.write_bytes(b"".join(pickles))
    with pytest.raises(ModelLoadError, match=r"os\.system"):
        read_torch_file(path)
    assert not os.path.lexists(tmp_path / "made")


def split_pickles(data: bytes) -> list[bytes]:
    """Return pickles that were written one after the other."""
    file, parts = io.BytesIO(data), []
    while file.tell() < len(data):
        start = file.tell()
        pickle.load(file)  # noqa: S301  # written by the test itself
        parts.append(data[start : file.tell()])
    return parts


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch", "BFloat16Storage"),
        ("collections", "OrderedDict"),
    ],
)
def test_a_pickle_changes_nothing_that_outlives_it(tmp_path: Path, module: str, name: str) -> None:
    """The opcode BUILD sets attributes of what a pickle has got: of nothing that others get."""
    state = pickle.dumps((None, {"mark": 1}), 2)[2:-1]
    named = b"\x80\x02c" + f"{module}\n{name}\n".encode()
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("archive/data.pkl", named + state + b"b.")
    with pytest.raises(ModelLoadError):
        read_torch_file(tmp_path / "a.bin")
    found, _ = read_pickle(io.BytesIO(named + b"."))
    assert not hasattr(found, "mark")


@both_formats
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
        {"view": (("9", 1, 6),)},
        {"view": (("9", -1, 6),)},
        {"view": (("9", 0, 5),)},
        {"view": (("9", 7, -1),)},
        {"view": (1,)},
    ],
)
def test_a_tensor_outside_of_its_storage_is_refused(
    tmp_path: Path, write: Any, broken: Any
) -> None:
    """Sizes in the file are not believed."""
    path = write(tmp_path / "a.bin", {"w": tensor(VALUES, **broken)}, STORAGES)
    with pytest.raises(ModelLoadError, match="no plain file of tensors"):
        read_torch_file(path)


@pytest.mark.parametrize("count", [-1, 5, 7, 2**40, 2**63 - 1])
def test_a_wrong_count_in_an_old_file_is_refused(tmp_path: Path, count: int) -> None:
    """It takes no memory for values that are not there."""
    path = write_legacy(tmp_path / "a.bin", {"w": tensor(VALUES)}, STORAGES)
    head = path.read_bytes()[: -8 - VALUES.nbytes]
    path.write_bytes(head + count.to_bytes(8, "little", signed=True) + VALUES.tobytes())
    with pytest.raises(ModelLoadError, match="no plain file of tensors"):
        read_torch_file(path)


@both_formats
@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02\x8e" + (2**62).to_bytes(8, "little") + b"x.",  # so many bytes
        b"\x80\x02\x96" + (2**62).to_bytes(8, "little") + b"x.",  # likewise, to be changed
        b"\x80\x02Nr" + (2**32 - 1).to_bytes(4, "little") + b".",  # put as the last of so many
        b"\x80\x02" + b"N0" * 30_000 + b".",
        b"\x80\x02)" + b"\x85" * 60_000 + b"0N.",  # tuples in tuples
    ],
    ids=["bytes", "bytearray", "put", "long", "deep"],
)
def test_a_greedy_pickle_is_refused(tmp_path: Path, write: Any, content: bytes) -> None:
    """Before it runs."""
    path = tmp_path / "a.bin"
    if write is write_zip:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
    else:
        path.write_bytes(pickled(0x1950A86A20F9469CFC6C) + pickled(1001) + pickled({}) + content)
    with pytest.raises(ModelLoadError, match=r"longer than that of any BERT|but only 2 remain"):
        read_torch_file(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    """PyTorch never compresses; a small file could unpack to a huge one."""
    path = write_zip(tmp_path / "a.bin", {"w": tensor(VALUES)}, STORAGES, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelLoadError, match="compressed"):
        read_torch_file(path)


def test_an_archive_with_overlapping_parts_is_refused(tmp_path: Path) -> None:
    """The same bytes under a hundred names would be read a hundred times."""
    path = write_zip(tmp_path / "a.bin", {"w": tensor(VALUES)}, {"0": bytes(4000)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.filelist *= 100
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(ModelLoadError, match="larger than the whole"):
        read_torch_file(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"\x80\x02}q\x00.", b"\x80\x02J."])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Cut short, empty, or a pickle of nothing that PyTorch writes."""
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match="safetensors"):
        read_torch_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """As any other that cannot be read."""
    with pytest.raises(ModelLoadError, match=r"a\.bin is no plain file"):
        read_torch_file(tmp_path / "a.bin")


@both_formats
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, write: Any) -> None:
    """A list of tensors has no names."""
    with pytest.raises(ModelLoadError, match="no state_dict"):
        read_torch_file(write(tmp_path / "a.bin", [1], {}))


@both_formats
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, write: Any, data: Any) -> None:
    """Any byte may be another one, and any end missing: nothing else comes out."""
    path = write(tmp_path / "a.bin", {"w": tensor(VALUES), "v": tensor(VALUES)}, STORAGES)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)) | st.just(len(damaged)))])
    with suppress(ModelLoadError):
        for array in read_torch_file(path).values():
            array.tolist()


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_files_of_pytorch_itself_are_read(tmp_path: Path, is_zip: bool) -> None:
    """Every type, parameters, shared and transposed storages, of both formats."""
    torch = importlib.import_module("torch")
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = OrderedDict(
        whole=whole,
        row=whole[1],
        transposed=whole.t(),
        parameter=torch.nn.Parameter(torch.ones(2)),
        half=torch.ones(3, dtype=torch.float16),
        bfloat16=torch.full((2,), 1.5, dtype=torch.bfloat16),
        double=torch.ones(2, dtype=torch.float64),
        integers=torch.arange(5),
        flags=torch.tensor([True, False]),
        scalar=torch.tensor(3.0),
        empty=torch.zeros(0, 4),
    )
    path = tmp_path / "a.bin"
    torch.save(tensors, path, _use_new_zipfile_serialization=is_zip)
    read = read_torch_file(path)
    assert list(read) == list(tensors)
    for name, array in read.items():
        expected = tensors[name].detach()
        assert array.shape == tuple(expected.shape), name
        assert array.astype(np.float64).tolist() == expected.double().tolist(), name
