"""Why a pull fails: each reason has its own sentence, and nothing is left that looks whole."""

import errno
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from fake_hub import FakeHub, Fault, Files
from hub_fixtures import make_original_files
from model_store.errors import ModelLoadError, PresetUnavailableError
from model_store.fetching.resolver import resolve

TINY_HEAD = "google/bert_uncased_L-2_H-128_A-2"
HEAD_HANDLE = f"hf://{TINY_HEAD}"
GIGABYTE = 10**9


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the directory of a model store that is not there yet."""
    return tmp_path / "store"


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be less room than is needed."""
    usage = namedtuple("usage", "total used free")(GIGABYTE, GIGABYTE, 10)  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def fill_disk_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the room end while files are written."""

    def write(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("model_store.fetching.hubs.hugging_face.http_get", write)


def cut_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody listen where the hub was."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")


REASONS = {
    "full": (fill_disk, r"The disk is full, hf://.*; make room in /"),
    "filled": (fill_disk_meanwhile, r"The disk is full, hf://.*; make room in /"),
    "no network": (cut_network, r"Hugging Face cannot be reached for hf://.*; check the network"),
    "401": (Fault(status=401), r"does not let you read hf://.* \(401\); set HF_TOKEN"),
    "403": (Fault(status=403), r"does not let you read hf://.* \(403\); set HF_TOKEN"),
    "404": (Fault(status=404), r"Hugging Face has no hf://.*; check how the handle is written"),
    "500": (Fault(status=500), r"cannot be reached for hf://.*answered 500"),
    "cut": (Fault(cut_after=9), r"The transfer of model\.safetensors from hf://.* broke off"),
    "corrupt": (Fault(is_corrupt=True), r"model\.safetensors from hf://.* has another hash"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_every_failure_has_its_own_sentence(
    hub: FakeHub, store: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """And leaves nothing that looks whole; the next try finds its way."""
    hub.repositories[TINY_HEAD] = make_original_files(2)
    cause, sentence = REASONS[reason]
    with monkeypatch.context() as patch:
        if isinstance(cause, Fault):
            path = "model.safetensors" if cause.status is None else f"/api/models/{TINY_HEAD}"
            hub.faults[path] = cause
        else:
            cause(patch)
        with pytest.raises(PresetUnavailableError, match=sentence):
            resolve(HEAD_HANDLE, directory=store)
    assert [path.name for path in store.iterdir() if not path.name.startswith(".")] == []
    hub.faults.clear()
    assert resolve(HEAD_HANDLE, directory=store).is_dir()


def test_sentences_differ() -> None:
    """Who reads one knows what happened."""
    sentences = [sentence for reason, (_, sentence) in REASONS.items() if reason != "filled"]
    assert len(set(sentences)) == len(sentences)


def test_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the setting that names another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetUnavailableError, match="FILLMASK_MODEL_STORE_DIR"):
        resolve(HEAD_HANDLE, directory=tmp_path / "file" / "store")


@pytest.mark.parametrize(
    "files", [{"README.md": b"?"}, {"config.json": b"{}"}, {"model.safetensors": b"?"}]
)
def test_repository_without_a_checkpoint_is_refused(
    hub: FakeHub, store: Path, files: Files
) -> None:
    """Nothing of it is fetched."""
    hub.repositories["a/b"] = files
    with pytest.raises(PresetUnavailableError, match="holds neither"):
        resolve("hf://a/b", directory=store)
    assert hub.served == 0


def test_checkpoint_that_cannot_be_read_is_not_put_in_place(hub: FakeHub, store: Path) -> None:
    """Its bytes are those of the hub, and it is broken all the same."""
    hub.repositories["a/b"] = {**make_original_files(2), "model.safetensors": b"no tensors"}
    with pytest.raises(ModelLoadError, match=r"model\.safetensors"):
        resolve("hf://a/b", directory=store)
    assert not (store / "a--b").exists()
