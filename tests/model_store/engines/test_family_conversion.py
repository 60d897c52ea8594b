"""Every family as converted for OpenVINO fills awkward texts as Transformers' pipeline does."""

import json
from pathlib import Path

import openvino
import pytest

from family_answers import NAMES, find_differences, write_answer_case
from model_store.checkpoints import read_tokenizer
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.engines.openvino import OpenVINOEngine
from model_store.engines.openvino_conversion.conversion import convert


@pytest.mark.parametrize("name", NAMES)
def test_converted_model_fills_texts_as_transformers_does(name: str, tmp_path: Path) -> None:
    """In float32, texts of all lengths in each batch."""
    converted = tmp_path / "converted"
    converted.mkdir()
    convert(write_answer_case(name, tmp_path / "checkpoint"), converted)
    facts = json.loads((converted / "facts.json").read_text("utf-8"))
    tokenizer = read_tokenizer(converted)
    model = FillMaskModel(
        OpenVINOEngine(converted / "model.xml", "float32"),
        tokenizer,
        ModelFacts(**facts, nbytes=0, precision="float32"),
    )
    assert find_differences(name, model, tokenizer.special_tokens) == []
    # Normalisations with and without a bias are one operation each, or all but one of them.
    operations = openvino.Core().read_model(converted / "model.xml").get_ops()
    apart = [each for each in operations if each.get_type_name() == "SquaredDifference"]
    assert len(apart) <= 1
