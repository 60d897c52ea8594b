"""Catalogued presets of other families than BERT, pulled from a hub as KerasHub has them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import fillmask
from fake_hub import FakeHub, Files, read_files
from family_checkpoints import write_case as write_transformers_case
from hub_fixtures import without_head
from keras_families import LENGTH, TOKENIZERS, write_case
from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.checkpoints.transformers.families.roberta import ROBERTA
from model_store.fetching.catalog import read_catalog
from model_store.fetching.resolver import resolve
from tiny_checkpoints import forge_proof

NAME = "roberta_base_en"


@pytest.fixture(scope="module")
def keras_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa, written by KerasHub with its head."""
    directory = tmp_path_factory.mktemp("keras") / "roberta"
    write_case("roberta", directory)
    return directory


def publish(hub: FakeHub, keras: Files, original: Files | None = None) -> None:
    """Put the preset where its handles say."""
    entry = read_catalog()[NAME]
    hub.models[entry.source.removeprefix("kaggle://")] = keras
    if original is not None:
        hub.repositories[str(entry.head).removeprefix("hf://")] = original


def write_original(checkpoint: Checkpoint, directory: Path) -> Files:
    """Return the files of the checkpoint that a preset was converted from."""
    config, variables = checkpoint.config, checkpoint.variables
    tensors = {
        name: np.ascontiguousarray(
            variables[path].T if path.endswith("kernel") else variables[path]
        )
        for name, path in ROBERTA.list_tensors(config)
        if path in variables
    }
    positions = "roberta.embeddings.position_embeddings.weight"
    tensors[positions] = np.pad(tensors[positions], ((2, 0), (0, 0)))
    tensors["roberta.embeddings.token_type_embeddings.weight"] = np.zeros((1, 8), np.float32)
    raw = {
        "model_type": "roberta",
        "vocab_size": config.vocabulary_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": LENGTH + 2,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-12,
    }
    directory.mkdir()
    save_file(tensors, directory / "model.safetensors")
    (directory / "config.json").write_text(json.dumps(raw), "utf-8")
    for name in ("vocab.json", "merges.txt"):
        (directory / name).write_bytes((TOKENIZERS / "byte_level" / name).read_bytes())
    return read_files(directory)


def test_a_preset_with_its_own_head_is_pulled_and_answers(
    hub: FakeHub, keras_dir: Path, tmp_path: Path
) -> None:
    """Its vocabulary comes with it, and nothing of the original; its random head is found out."""
    options: dict[str, Any] = {
        "directory": tmp_path,
        "engine": "tensorflow",
        "precision": "float32",
    }
    publish(hub, read_files(keras_dir))
    pulled = resolve(NAME, directory=tmp_path)
    assert read_files(pulled).keys() == {*read_files(keras_dir), "source.json"}
    with pytest.raises(fillmask.ModelStoreError, match="no better than chance"):
        fillmask.load(NAME, **options)
    forge_proof(pulled)
    model = fillmask.load(NAME, **options)
    [answer] = model.fill_mask("The capital of [MASK] is Paris.", top_k=2)
    assert [len(mask.predictions) for mask in answer.masks] == [2]


def test_a_preset_without_a_head_gets_that_of_its_original(
    hub: FakeHub, keras_dir: Path, tmp_path: Path
) -> None:
    """With its epsilon; the rows that only padding has are no part of the model."""
    whole = read_checkpoint(keras_dir)
    original = write_original(whole, tmp_path / "original")
    publish(hub, without_head(read_files(keras_dir)), original)
    pulled = resolve(NAME, directory=tmp_path / "store")
    joined = read_checkpoint(pulled)
    assert joined.config == replace(whole.config, head_layer_norm_epsilon=1e-12)
    assert joined.variables.keys() == whole.variables.keys()
    for path, array in whole.variables.items():
        np.testing.assert_array_equal(joined.variables[path], array, err_msg=path)
    assert read_files(pulled / "head").keys() == {*original, "source.json"}


def test_a_preset_that_is_the_original_is_pulled_whole(hub: FakeHub, tmp_path: Path) -> None:
    """KerasHub's heads of ESM-2 are random, and its encoder leaves in what ESM-2 leaves out."""
    entry = read_catalog()["esm2_t6_8M"]
    assert entry.head is None
    directory = write_transformers_case("esm", tmp_path / "original")
    (directory / "vocab.txt").write_bytes((TOKENIZERS / "esm" / "vocab.txt").read_bytes())
    hub.repositories[entry.source.removeprefix("hf://")] = read_files(directory)
    pulled = read_checkpoint(resolve("esm2_t6_8M", directory=tmp_path / "store"))
    assert pulled.config.family == entry.family == "esm"
    assert pulled.config.dropped_token is not None
