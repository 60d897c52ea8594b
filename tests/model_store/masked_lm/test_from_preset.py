"""A model comes from where its caller says, and takes no more of the files than it needs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_store.checkpoints import (
    Checkpoint,
    read_checkpoint,
    write_keras_preset,
    write_transformers_dir,
)
from model_store.checkpoints.config_fields import write_config_fields
from model_store.errors import ModelLoadError, PresetUnavailableError
from model_store.masked_lm.families.bert import BertMaskedLM

TINY = "bert_tiny_en_uncased"
WEIGHTS = ("*.safetensors", "*.h5")


def write_google(checkpoint: Checkpoint, directory: Path) -> None:
    """Write what Google's format has beside its weights."""
    directory.mkdir()
    fields = write_config_fields(checkpoint.config)
    (directory / "bert_config.json").write_text(json.dumps(fields), "utf-8")
    (directory / "vocab.txt").write_text("\n".join(checkpoint.tokenizer.vocabulary), "utf-8")


def write_joined(checkpoint: Checkpoint, directory: Path) -> None:
    """Write a preset that keeps its head apart."""
    write_keras_preset(checkpoint, directory)
    write_transformers_dir(checkpoint, directory / "head")


@pytest.mark.parametrize(
    "write", [write_transformers_dir, write_keras_preset, write_joined, write_google]
)
def test_files_of_weights_are_not_needed_for_random_ones(
    write: Callable[[Checkpoint, Path], None], tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """Config and tokenizer say all of it, in every format."""
    whole = read_checkpoint(tiny_preset_dir)
    write(whole, tmp_path / "preset")
    for pattern in WEIGHTS:
        for path in (tmp_path / "preset").rglob(pattern):
            path.unlink()
    model = BertMaskedLM.from_preset(tmp_path / "preset", load_weights=False)
    made = model.to_checkpoint()
    assert made.config == whole.config
    assert made.tokenizer.vocabulary == whole.tokenizer.vocabulary
    assert made.variables.keys() == whole.variables.keys()
    with pytest.raises(ModelLoadError):
        BertMaskedLM.from_preset(tmp_path / "preset")


def test_a_vocabulary_that_is_too_large_is_refused_without_weights_too(
    tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """Its last ids would have no rows."""
    directory = Path(shutil.copytree(tiny_preset_dir, tmp_path / "preset"))
    config = json.loads((directory / "config.json").read_text("utf-8"))
    (directory / "config.json").write_text(json.dumps(config | {"vocab_size": 9}), "utf-8")
    with pytest.raises(ModelLoadError, match="entries and the model 9"):
        BertMaskedLM.from_preset(directory, load_weights=False)


@pytest.mark.parametrize("as_type", [Path, str])
def test_presets_lie_where_the_caller_says(
    as_type: type[str | Path], tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """A name of the catalogue is looked for in the directory that is given."""
    shutil.copytree(tiny_preset_dir, tmp_path / TINY)
    model = BertMaskedLM.from_preset(TINY, directory=as_type(tmp_path), offline=True)
    expected = read_checkpoint(tiny_preset_dir).variables["masked_lm_head/bias"]
    np.testing.assert_array_equal(model.to_checkpoint().variables["masked_lm_head/bias"], expected)


def test_nothing_is_fetched_offline(tmp_path: Path) -> None:
    """The error comes at once."""
    with pytest.raises(PresetUnavailableError, match=f"The files of {TINY} are not here"):
        BertMaskedLM.from_preset(TINY, directory=tmp_path, offline=True)
