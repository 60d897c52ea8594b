"""What a pull takes of a repository: all that the preset is read from, and nothing else."""

import json
from pathlib import Path

import pytest

from fake_hub import FakeHub, Files, read_files
from matrix.row import BIN, BIN_PARTS, SAFETENSORS, SAFETENSORS_PARTS, Case, Row
from matrix.usual import write_case
from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelLoadError, ModelStoreError
from model_store.fetching.resolver import resolve

HANDLE = "hf://a/b"
INDEX = "model.safetensors.index.json"
BESIDE = {
    "special_tokens_map.json": {"additional_special_tokens": ["[E1]", "[/E1]"]},
    "added_tokens.json": {"[E2]": 571},
    "probe.txt": "Paris is the capital of France.",
}


def make_files(directory: Path, layout: str) -> dict[str, bytes]:
    """Return the files of a checkpoint with all that may lie beside it."""
    return read_files(write_case(Case("pull", Row("all", BESIDE), layout), directory))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where presets are put."""
    return tmp_path / "store"


@pytest.mark.parametrize("layout", [SAFETENSORS, SAFETENSORS_PARTS, BIN, BIN_PARTS])
def test_all_that_is_read_is_pulled(hub: FakeHub, tmp_path: Path, store: Path, layout: str) -> None:
    """Parts, tokens beside the vocabulary and the probe's text, and none of the rest."""
    files = make_files(tmp_path / "made", layout)
    hub.repositories["a/b"] = {**files, "README.md": b"?", "model-x.safetensors": b"?"}
    directory = resolve(HANDLE, directory=store)
    pulled = read_files(directory)
    assert {name: pulled[name] for name in files} == files
    assert pulled.keys() == {*files, "source.json"}
    recorded = json.loads(pulled["source.json"])["files"]
    assert recorded.keys() == files.keys()
    pulled_ids, own_ids = [
        read_checkpoint(path).tokenizer.encode("[E1] Paris [E2]").ids
        for path in (directory, tmp_path / "made")
    ]
    assert pulled_ids == own_ids


def test_whole_weights_are_pulled_and_not_their_parts(
    hub: FakeHub, tmp_path: Path, store: Path
) -> None:
    """They hold the same again."""
    whole = make_files(tmp_path / "whole", SAFETENSORS)
    parts = make_files(tmp_path / "parts", SAFETENSORS_PARTS)
    hub.repositories["a/b"] = {**parts, **whole}
    assert read_files(resolve(HANDLE, directory=store)).keys() == {*whole, "source.json"}


def test_progress_counts_all_parts(hub: FakeHub, tmp_path: Path, store: Path) -> None:
    """From the first byte on the whole is known."""
    files = hub.repositories["a/b"] = make_files(tmp_path / "made", SAFETENSORS_PARTS)
    told: list[tuple[int, int]] = []
    resolve(HANDLE, directory=store, progress=lambda *seen: told.append(seen))
    whole = sum(map(len, files.values()))
    assert {total for _, total in told} == {whole}
    assert told[-1] == (whole, whole)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("model-9.safetensors", "hf://a/b lacks model-9"),
        ("../../evil", "no file beside it"),
        ("/etc/passwd", "no file beside it"),
        ("a/b.safetensors", "no file beside it"),
        (7, "lacks 7"),
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(
    hub: FakeHub, tmp_path: Path, store: Path, place: object, sentence: str
) -> None:
    """Whatever it names is never asked for, and nothing is put in place."""
    files: Files = make_files(tmp_path / "made", SAFETENSORS_PARTS)
    index = json.dumps({"weight_map": {"x": place}}).encode()
    hub.repositories["a/b"] = {**files, INDEX: index}
    with pytest.raises(ModelStoreError, match=sentence):
        resolve(HANDLE, directory=store)
    assert not (store / "a--b").exists()
    assert {path.name for path in tmp_path.rglob("*evil*")} == set()


def test_an_index_of_very_many_files_is_refused(hub: FakeHub, tmp_path: Path, store: Path) -> None:
    """Nobody has so many."""
    files: Files = make_files(tmp_path / "made", SAFETENSORS_PARTS)
    places = {str(number): f"model-{number}.safetensors" for number in range(513)}
    hub.repositories["a/b"] = {**files, INDEX: json.dumps({"weight_map": places}).encode()}
    with pytest.raises(ModelLoadError, match="names 513 files and may name 1 to 512"):
        resolve(HANDLE, directory=store)
