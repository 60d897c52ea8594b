"""Ours does what keras-hub's does, or the table in the documents says why not."""

from pathlib import Path
from typing import Any

import keras
import keras_hub
import pytest

import fillmask
from contract.documents import read
from keras_hub_suite.comparison import Case, is_same, libraries, list_members, outcome
from keras_hub_suite.left_out import LEFT_OUT
from keras_hub_suite.tables import CASES, render_tables
from keras_hub_suite.tokenizer_cases import ALL, VOCABULARY

pytestmark = [pytest.mark.keras_hub, pytest.mark.filterwarnings("default")]

BASES = {
    "BertMaskedLM": keras.Model,
    "BertMaskedLMPreprocessor": keras.layers.Layer,
    "BertTokenizer": keras.layers.Layer,
    "BertBackbone": keras.Model,
}


def make_ours() -> dict[str, Any]:
    """Return one of each of our classes, by its name."""
    tokenizer = fillmask.BertTokenizer(VOCABULARY)
    preprocessor = fillmask.BertMaskedLMPreprocessor(tokenizer, **ALL)
    backbone = fillmask.BertBackbone(14, 1, 1, 4, 4, max_sequence_length=16)
    model = fillmask.BertMaskedLM(backbone, preprocessor)
    return {type(made).__name__: made for made in (tokenizer, preprocessor, backbone, model)}


@pytest.fixture(scope="session")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small preset of keras-hub's own, without dropout, that masks every token that may be."""
    directory = tmp_path_factory.mktemp("presets") / "tiny"
    keras.utils.set_random_seed(1)
    tokenizer = keras_hub.models.BertTokenizer(VOCABULARY)
    preprocessor = keras_hub.models.BertMaskedLMPreprocessor(tokenizer, **ALL)
    backbone = keras_hub.models.BertBackbone(14, 2, 2, 8, 12, dropout=0.0, max_sequence_length=16)
    model = keras_hub.models.BertMaskedLM(backbone, preprocessor)
    for weight in model.weights:
        weight.assign(keras.random.normal(weight.shape, stddev=0.5, seed=len(weight.path)))
    model.save_to_preset(str(directory))
    return directory


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.of}: {case.what}")
def test_the_outcome_is_what_the_table_says(case: Case, preset: Path, tmp_path: Path) -> None:
    """The same, or different for the reason that is given."""
    theirs, ours = (outcome(case, library) for library in libraries(preset, tmp_path))
    assert is_same(theirs, ours) is not bool(case.reason), (theirs, ours)


@pytest.mark.parametrize("name", BASES)
def test_every_public_member_is_here_or_has_a_reason(name: str) -> None:
    """Of the four classes, beyond what Keras itself gives them."""
    members = list_members(getattr(keras_hub.models, name), BASES[name])
    missing = {member for member in members if not hasattr(make_ours()[name], member)}
    assert missing == {member for of, member in LEFT_OUT if of == name}


@pytest.mark.parametrize("table", ["documentation", "comparison"])
def test_the_table_in_the_documents_is_made_of_what_runs(table: str) -> None:
    """`make keras-tables` writes it."""
    assert render_tables()[table] in read("docs/training.md")
