"""Whatever stands in a preset's files: a model is read, or a sentence says why it is none."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.hostile_presets import (
    RAW_VALUES,
    REPLACEMENTS,
    Files,
    damaged,
    fill_field,
    read_files,
    write_files,
    write_google,
    write_joined,
    write_keras,
    write_parts,
    write_safetensors,
    write_tokenizer_file,
    write_torch,
)
from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelStoreError
from model_store.fetching.source import check_source
from torch_files import write_legacy, write_zip

WRITERS: dict[str, Any] = {
    "keras": write_keras,
    "safetensors": write_safetensors,
    "tokenizer_file": write_tokenizer_file,
    "parts": partial(write_parts, suffix="safetensors"),
    "torch_parts": partial(write_parts, suffix="bin"),
    "torch_zip": partial(write_torch, write=write_zip),
    "torch_legacy": partial(write_torch, write=write_legacy),
    "joined": write_joined,
    "google": write_google,
}
PATIENCE_S = 120
LONGEST_SENTENCE = 1000

each_format = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """The files of a good preset of every format."""
    directory = tmp_path_factory.mktemp("presets")
    for name, write in WRITERS.items():
        write(directory / name)
    return {name: read_files(directory / name) for name in WRITERS}


def open_preset(directory: Path) -> ModelStoreError | None:
    """Read a preset as a load reads it, and return why it is none."""
    with within(PATIENCE_S):
        try:
            check_source(directory)
            checkpoint = read_checkpoint(directory)
        except ModelStoreError as error:
            return error
        ids = checkpoint.tokenizer.encode("The cat sat [MASK] Ωmega.").ids
        assert max(ids) < checkpoint.config.vocabulary_size
        return None


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where a block takes too long, instead of waiting for ever."""

    def fail(*_: object) -> NoReturn:
        message = f"it took longer than {seconds} s"
        raise AssertionError(message)

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def assert_is_sentence(error: ModelStoreError) -> None:
    """Hold a refusal against what an answer can carry and a person can read."""
    sentence = str(error)
    assert sentence.encode().decode() == sentence
    assert sentence.endswith(".")
    assert len(sentence) <= LONGEST_SENTENCE
    assert "\n" not in sentence


@each_format
def test_good_presets_are_read(presets: dict[str, Files], tmp_path: Path, name: str) -> None:
    """What is damaged below is whole before."""
    write_files(tmp_path, presets[name])
    assert open_preset(tmp_path) is None


def fuzz(presets: dict[str, Files], name: str, examples: int) -> None:
    """Damage one or two files of a format, many times over."""
    files = presets[name]

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def damage(data: st.DataObject) -> None:
        changed = dict(files)
        paths = st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=2, unique=True)
        for path in data.draw(paths):
            changed[path] = data.draw(damaged(changed[path]))
        with TemporaryDirectory() as directory:
            write_files(Path(directory), changed)
            if error := open_preset(Path(directory)):
                assert_is_sentence(error)

    damage()


@each_format
def test_damaged_presets_are_read_or_refused(presets: dict[str, Files], name: str) -> None:
    """Cut, flipped, spliced, of wrong types: nothing but a refusal comes out."""
    fuzz(presets, name, 60)


@pytest.mark.slow
@each_format
def test_many_damaged_presets_are_read_or_refused(presets: dict[str, Files], name: str) -> None:
    """The same for a few minutes."""
    fuzz(presets, name, 5_000)


@each_format
@pytest.mark.parametrize("raw", RAW_VALUES, ids=lambda raw: raw[:12])
def test_files_of_wrong_json_are_refused(
    presets: dict[str, Files], tmp_path: Path, name: str, raw: str
) -> None:
    """A whole file may be any JSON."""
    for path in presets[name]:
        if path.endswith(".json"):
            write_files(tmp_path, {**presets[name], path: raw.encode()})
            if error := open_preset(tmp_path):
                assert_is_sentence(error)


@each_format
@pytest.mark.parametrize("put", REPLACEMENTS)
def test_what_is_no_file_is_refused(
    presets: dict[str, Files], name: str, put: Any, tmp_path: Path
) -> None:
    """Directories, loops, pipes and files without end are no files of a preset."""
    for index, path in enumerate(presets[name]):
        directory = tmp_path / str(index)
        write_files(directory, presets[name])
        put(directory / path)
        if error := open_preset(directory):
            assert_is_sentence(error)


def test_weights_that_claim_more_than_their_file_are_refused(
    presets: dict[str, Files], tmp_path: Path
) -> None:
    """HDF5 gives zeros for what was never written, in as much memory as they would take."""
    write_files(tmp_path, presets["keras"])
    with h5py.File(tmp_path / "model.weights.h5", "a") as file:
        name = "layers/reversible_embedding/vars/0"
        del file[name]
        file.create_dataset(name, (2**20, 2**20), "float32")
    error = open_preset(tmp_path)
    assert error
    assert "holds less than it says" in str(error)


FOUND = [
    ("safetensors", "config.json", ("vocab_size",), "9" * 5_000),
    ("safetensors", "config.json", ("vocab_size",), "9" * 4_000),
    ("safetensors", "config.json", ("model_type",), "[" * 600 + "]" * 600),
    ("safetensors", "config.json", ("hidden_act",), f'"{"x" * 10_000}"'),
    ("safetensors", "config.json", ("hidden_dropout_prob",), f'"{"x" * 10_000}"'),
    ("safetensors", "config.json", ("intermediate_size",), "9" * 1_000),
    ("safetensors", "tokenizer_config.json", ("tokenizer_class",), "[]"),
    ("safetensors", "tokenizer_config.json", ("tokenizer_class",), '"\\ud800"'),
    ("safetensors", "tokenizer_config.json", ("mask_token",), '{"a": 1}'),
    ("safetensors", "tokenizer_config.json", ("mask_token",), f'"{"x" * 10_000}"'),
    ("safetensors", "tokenizer_config.json", ("mask_token",), '"\\ud800"'),
    ("torch_zip", "tokenizer_config.json", ("mask_token",), '"\\ud800"'),
    ("torch_zip", "tokenizer_config.json", ("mask_token",), '"a b"'),
    ("safetensors", "tokenizer.json", ("version",), f'"{"x" * 10_000}"'),
    ("tokenizer_file", "tokenizer.json", ("model", "unk_token"), '"gone"'),
    ("tokenizer_file", "tokenizer.json", ("post_processor", "special_tokens"), "{}"),
    ("keras", "config.json", ("class_name",), "{}"),
    ("keras", "config.json", ("config",), "[]"),
    ("keras", "config.json", ("config",), "null"),
    ("keras", "task.json", ("class_name",), '"\\ud800"'),
    ("keras", "tokenizer.json", ("config",), "[]"),
    ("joined", "source.json", ("files",), f'{{"{"x" * 300}": {{"size": 1, "sha256": ""}}}}'),
    ("joined", "source.json", ("files",), f'{{"{"x" * 10_000}": {{"size": 1, "sha256": ""}}}}'),
    ("joined", "source.json", ("files",), '{"\\ud800": {"size": 1, "sha256": ""}}'),
    ("joined", "source.json", ("files",), '{"\\u0000": {"size": 1, "sha256": ""}}'),
    ("joined", "source.json", ("files",), '{"/": {"size": 1, "sha256": ""}}'),
]
"""What damaging files at random has found: format, file, field, and what stood there."""


@pytest.mark.parametrize("found", FOUND, ids=lambda found: f"{found[0]}-{found[2]}-{found[3][:9]}")
def test_what_was_found_is_refused(presets: dict[str, Files], tmp_path: Path, found: Any) -> None:
    """Each of these once ended in another error than a refusal."""
    name, path, field, raw = found
    content = fill_field(presets[name][path], field, raw)
    write_files(tmp_path, {**presets[name], path: content})
    error = open_preset(tmp_path)
    assert error
    assert_is_sentence(error)
