"""A saved model's config is data: it says no file that is read, and none that is written."""

from pathlib import Path
from typing import Any

import keras
import pytest

import fillmask
from model_store.masked_lm.vocabulary_layer import read_files

_LINES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


@pytest.mark.parametrize(
    ("tokenizer", "hostile"),
    [
        ("BertTokenizer", lambda path: {"vocabulary": str(path)}),
        ("BertTokenizer", lambda path: {"files": {"vocab.txt": str(path)}}),
        ("RobertaTokenizer", lambda path: {"vocabulary": {"a": 0}, "merges": str(path)}),
        ("RobertaTokenizer", lambda path: {"files": {str(path): _LINES}}),
        ("XLMRobertaTokenizer", lambda path: {"proto": str(path)}),
        ("AlbertTokenizer", lambda path: {"files": {"spiece.model": str(path)}}),
        ("ESMTokenizer", lambda path: {"vocabulary": str(path)}),
        ("ModernBertTokenizer", lambda path: {"files": {f"../{path.name}": _LINES}}),
    ],
)
def test_config_that_names_files_is_refused(tokenizer: str, hostile: Any, tmp_path: Path) -> None:
    """By the class and by Keras, before anything is touched."""
    path = tmp_path / "of_somebody"
    config = hostile(path)
    layer = {
        "module": f"model_store.masked_lm.families.{tokenizer}",
        "class_name": tokenizer,
        "config": config,
        "registered_name": f"fillmask>{tokenizer}",
    }
    made = getattr(fillmask, tokenizer)
    with pytest.raises(ValueError, match="get_config returns"):
        made.from_config(config)
    with pytest.raises((ValueError, TypeError), match="get_config returns"):
        keras.saving.deserialize_keras_object(layer)
    assert not path.exists()


@pytest.mark.parametrize("name", ["../vocab.txt", "/vocab.txt", "a/vocab.txt", ".."])
def test_files_stay_in_their_folder(name: str) -> None:
    """Whoever gives them."""
    with pytest.raises(ValueError, match="plain names"):
        read_files("BertTokenizer", {name: _LINES})
