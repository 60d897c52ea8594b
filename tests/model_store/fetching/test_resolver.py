"""Every handle becomes a directory of verified files, or one sentence that says why not."""

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from fake_hub import FakeHub, Fault, Files, read_files
from hub_fixtures import LAYERS, make_keras_files, make_original_files, without_head, write_files
from model_store.checkpoints import read_checkpoint
from model_store.errors import (
    HeadMissingError,
    ModelLoadError,
    PresetNotFoundError,
    PresetUnavailableError,
)
from model_store.fetching.catalog import EMBEDDED, read_catalog
from model_store.fetching.resolver import resolve

TINY = "bert_tiny_en_uncased"
CLASSIFIER = "bert_tiny_en_uncased_sst2"
TINY_HEAD = "google/bert_uncased_L-2_H-128_A-2"
HEAD_HANDLE = f"hf://{TINY_HEAD}"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the directory of a model store that is not there yet."""
    return tmp_path / "store"


def publish(hub: FakeHub, name: str, keras: Files, original: Files) -> None:
    """Put a catalogued preset where its handles say."""
    entry = read_catalog()[name]
    assert entry.head
    hub.models[entry.source.removeprefix("kaggle://")] = keras
    hub.repositories[entry.head.removeprefix("hf://")] = original


def publish_tiny(hub: FakeHub) -> None:
    """Put the smallest preset on the hubs, its head apart."""
    publish(hub, TINY, without_head(make_keras_files(2)), make_original_files(2))


def cut_head(original: Files) -> Files:
    """Return a Transformers checkpoint without the tensors of its head."""
    tensors = load(original["model.safetensors"])
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("cls.")}
    assert len(kept) < len(tensors)
    return {**original, "model.safetensors": save(kept)}


FEW = 2
DEPTHS = [(name, FEW) for name in LAYERS] + [
    pytest.param(*own, marks=pytest.mark.slow) for own in LAYERS.items() if own[1] > FEW
]
"""Every name with few layers, whose files are quickly made; and each with its own, slowly."""


@pytest.mark.parametrize(("name", "layers"), DEPTHS)
def test_preset_without_a_head_gets_that_of_its_original(
    hub: FakeHub, store: Path, name: str, layers: int
) -> None:
    """Every variable of the joined model is one of a file."""
    keras, original = make_keras_files(layers), make_original_files(layers)
    publish(hub, name, without_head(keras), original)
    pulled = read_checkpoint(resolve(name, directory=store))
    whole = read_checkpoint(write_files(store.parent / "whole", keras))
    assert pulled.variables.keys() == whole.variables.keys()
    embeddings, layer, pooler, head = 5, 16, 2, 5
    assert len(pulled.variables) == embeddings + layer * layers + pooler + head
    for path, array in whole.variables.items():
        np.testing.assert_array_equal(pulled.variables[path], array, err_msg=path)
    assert pulled.config == whole.config


@pytest.mark.parametrize(("name", "layers"), DEPTHS)
def test_preset_whose_head_is_nowhere_is_refused(
    hub: FakeHub, store: Path, name: str, layers: int
) -> None:
    """It is not put in place either."""
    original = cut_head(make_original_files(layers))
    publish(hub, name, without_head(make_keras_files(layers)), original)
    with pytest.raises(HeadMissingError, match="no masked-LM head"):
        resolve(name, directory=store)
    assert not (store / name).exists()


def test_classifier_is_refused_before_anything_is_asked(hub: FakeHub, store: Path) -> None:
    """With its reason."""
    with pytest.raises(HeadMissingError, match=f"{CLASSIFIER} is a classifier"):
        resolve(CLASSIFIER, directory=store)
    assert hub.asked == []


def test_preset_with_its_own_head_is_taken_alone(hub: FakeHub, store: Path) -> None:
    """The original is not asked for."""
    publish(hub, TINY, make_keras_files(2), {})
    directory = resolve(TINY, directory=store)
    assert not (directory / "head").exists()
    assert read_checkpoint(directory).variables["masked_lm_head/bias"].any()


def test_head_of_another_task_is_none(hub: FakeHub, store: Path) -> None:
    """The weights of a classifier are not taken for those of a masked LM."""
    keras = dict(make_keras_files(2))
    task = {**json.loads(keras["task.json"]), "class_name": "BertTextClassifier"}
    publish(hub, TINY, keras | {"task.json": json.dumps(task).encode()}, make_original_files(2))
    assert (resolve(TINY, directory=store) / "head" / "config.json").is_file()


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_original_alone_is_taken_where_kaggle_gives_nothing(
    hub: FakeHub, store: Path, status: int
) -> None:
    """It holds the whole model."""
    publish_tiny(hub)
    hub.faults["GetModelInstance"] = Fault(status=status)
    directory = resolve(TINY, directory=store)
    source = json.loads((directory / "source.json").read_text("utf-8"))
    assert source["handle"] == HEAD_HANDLE
    assert read_checkpoint(directory).config.num_layers == 2


@pytest.mark.parametrize("layers", [2, 4])
def test_head_of_another_model_is_refused(hub: FakeHub, store: Path, layers: int) -> None:
    """Another one of the same shape, and one of another shape."""
    original = dict(make_original_files(layers))
    tensors = load(original["model.safetensors"])
    name = "bert.embeddings.word_embeddings.weight"
    swapped = tensors[name].copy()
    swapped[[7, 8]] = swapped[[8, 7]]
    original["model.safetensors"] = save(tensors | {name: swapped})
    publish(hub, TINY, without_head(make_keras_files(2)), original)
    with pytest.raises(ModelLoadError, match="take both from the same model"):
        resolve(TINY, directory=store)
    assert not (store / TINY).exists()


def test_source_is_recorded(hub: FakeHub, store: Path) -> None:
    """Handle, revision, and size and hash of every file, for both parts."""
    publish_tiny(hub)
    directory = resolve(TINY, directory=store)
    for part, handle, revision in (
        (directory, read_catalog()[TINY].source, "3"),
        (directory / "head", HEAD_HANDLE, hub.commit(TINY_HEAD)),
    ):
        source = json.loads((part / "source.json").read_text("utf-8"))
        assert (source["handle"], source["revision"]) == (handle, revision)
        files = {path for path in read_files(part) if not path.startswith(("head/", "source"))}
        assert source["files"].keys() == files


def test_only_needed_files_are_fetched(hub: FakeHub, store: Path) -> None:
    """Repositories hold the same weights for other frameworks, too."""
    others = ("pytorch_model.bin", "tf_model.h5", "README.md", "onnx/model.onnx")
    hub.repositories["a/b"] = {**make_original_files(2), **dict.fromkeys(others, b"?")}
    directory = resolve("hf://a/b", directory=store)
    assert read_files(directory).keys() == {*make_original_files(2), "source.json"}


@pytest.mark.parametrize("has_file", [True, False])
def test_vocabularies_are_fetched_where_there_is_no_tokenizer_file(
    hub: FakeHub, store: Path, *, has_file: bool
) -> None:
    """Those of every family that has some of its own."""
    own = {"vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model"}
    files = {**make_original_files(2), **dict.fromkeys(own, b"?")}
    if not has_file:
        del files["tokenizer.json"]
    hub.repositories["a/b"] = files
    directory = resolve("hf://a/b", directory=store)
    assert own & read_files(directory).keys() == (set() if has_file else own)


def test_pulled_preset_is_not_asked_for_again(hub: FakeHub, store: Path) -> None:
    """Nor is a connection tried at all."""
    publish_tiny(hub)
    first = resolve(TINY, directory=store)
    hub.asked.clear()
    assert resolve(TINY, directory=store) == first == store / TINY
    assert hub.asked == []


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        (HEAD_HANDLE, "google--bert_uncased_L-2_H-128_A-2"),
        ("kaggle://keras/bert/keras/mine", "keras--bert--keras--mine"),
        ("kaggle://keras/bert/keras/mine/3", "keras--bert--keras--mine--3"),
    ],
)
def test_handle_makes_a_name(hub: FakeHub, store: Path, handle: str, name: str) -> None:
    """Under which the store serves it."""
    hub.repositories[TINY_HEAD] = make_original_files(2)
    hub.models["keras/bert/keras/mine"] = make_keras_files(2)
    assert resolve(handle, directory=store) == store / name


def test_revision_is_kept_apart(hub: FakeHub, store: Path) -> None:
    """What a branch was and what a commit is may differ."""
    hub.repositories["a/b"] = make_original_files(2)
    commit = hub.commit("a/b")
    assert resolve(f"hf://a/b@{commit}", directory=store).name == f"a--b--{commit}"


def test_local_directory_is_itself(tmp_path: Path, store: Path) -> None:
    """Nothing is copied."""
    directory = write_files(tmp_path / "mine", make_original_files(2))
    assert resolve(str(directory), directory=store) == directory
    assert not store.exists()


def test_embedded_preset_is_here(store: Path, embedded_preset_dir: Path) -> None:
    """It ships with the package."""
    assert resolve(EMBEDDED, directory=store) == embedded_preset_dir


@pytest.mark.parametrize("handle", ["nobody", "", "./nowhere", "/"])
def test_unknown_handle_is_refused(store: Path, handle: str) -> None:
    """With the command that lists those there are."""
    with pytest.raises(PresetNotFoundError, match="fillmask presets list"):
        resolve(handle, directory=store)


def test_offline_tries_no_connection(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise: what is not here is refused, what is here is read."""

    def connect(*_: Any) -> None:
        message = "a connection was tried"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    for handle in (TINY, HEAD_HANDLE, "kaggle://keras/bert/keras/mine"):
        with pytest.raises(
            PresetUnavailableError, match="FILLMASK_OFFLINE, or offline=True in Python"
        ):
            resolve(handle, directory=store, offline=True)
    write_files(store / TINY, make_original_files(2))
    assert resolve(TINY, directory=store, offline=True) == store / TINY


def test_newer_revision_starts_anew(hub: FakeHub, store: Path) -> None:
    """Files of two versions never come together, not even where only their bytes differ."""
    handle, model = "kaggle://a/b/keras/c", "a/b/keras/c"
    earlier = make_keras_files(2)
    later = {**earlier, "metadata.json": earlier["metadata.json"].swapcase()}
    hub.models[model] = earlier
    hub.faults["model.weights.h5"] = Fault(cut_after=1000)
    with pytest.raises(PresetUnavailableError, match="broke off"):
        resolve(handle, directory=store)
    hub.faults.clear()
    hub.models[model], hub.version = later, 4
    pulled = read_files(resolve(handle, directory=store))
    assert {path: pulled[path] for path in later} == later


@pytest.mark.parametrize("path", ["model.weights.h5", "head/model.safetensors"])
def test_pulled_file_that_changed_is_told(hub: FakeHub, store: Path, path: str) -> None:
    """Its size at every load, its hash when it is pulled again."""
    publish_tiny(hub)
    directory = resolve(TINY, directory=store)
    content = bytearray((directory / path).read_bytes())
    content[-1] ^= 1
    (directory / path).write_bytes(content)
    assert resolve(TINY, directory=store) == directory
    with pytest.raises(ModelLoadError, match="is not the file that was pulled; remove"):
        resolve(TINY, directory=store, verify=True)
    (directory / path).write_bytes(content[:-1])
    with pytest.raises(ModelLoadError, match="is not the file that was pulled; remove"):
        resolve(TINY, directory=store)


def test_progress_ends_at_the_whole(hub: FakeHub, store: Path) -> None:
    """It never goes down, and its end is the sum of the files."""
    hub.repositories["a/b"] = make_original_files(2)
    seen: list[tuple[int, int]] = []
    resolve("hf://a/b", directory=store, progress=lambda done, total: seen.append((done, total)))
    size = sum(map(len, make_original_files(2).values()))
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)


def test_progress_may_end_the_fetching(hub: FakeHub, store: Path) -> None:
    """A server that is stopped does not fetch to the end, and what it has is kept."""
    hub.repositories["a/b"] = make_original_files(2)

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resolve("hf://a/b", directory=store, progress=stop)
    hub.asked.clear()
    assert resolve("hf://a/b", directory=store).is_dir()
    assert hub.count("config.json") == 0


def test_name_in_the_store_is_found(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of one's own has the name that the server gives it, before any path."""
    files = make_original_files(2)
    write_files(store / "mine", files)
    write_files(store.parent / "mine", files)
    monkeypatch.chdir(store.parent)
    assert resolve("mine", directory=store, offline=True) == store / "mine"
    assert resolve("./mine", directory=store, offline=True) == Path("./mine")
    with pytest.raises(PresetNotFoundError, match="is no name of a preset and no directory"):
        resolve("..", directory=store / "mine" / "none")
