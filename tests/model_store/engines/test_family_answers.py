"""Every family fills awkward texts as Transformers' pipeline does, from files to sequences."""

from pathlib import Path

import keras
import pytest

from family_answers import NAMES, find_differences, write_answer_case
from model_store.checkpoints import read_checkpoint
from model_store.loading.keras_loader import find_engine, make_model


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_filled_as_transformers_fills_them(name: str, tmp_path: Path) -> None:
    """Ids, spans, the best five, their scores and sequences, on the engine of Keras' backend."""
    checkpoint = read_checkpoint(write_answer_case(name, tmp_path))
    model = make_model(checkpoint, find_engine(keras.config.backend()), "float32")
    assert find_differences(name, model, checkpoint.tokenizer.special_tokens) == []
