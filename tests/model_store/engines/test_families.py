"""Every family gives the logits that Transformers gives, whatever shares a text's row."""

from pathlib import Path

import keras
import numpy as np
import pytest

from family_cases import MASK, list_texts
from family_checkpoints import encode_texts, list_expected, list_readable, read_case
from model_store.checkpoints.completeness import require_variables
from model_store.engines.batches.batch import collate
from model_store.loading.keras_loader import find_engine
from model_store.masked_lm.families import MaskedLM

CASES = list_readable()


def load_case(name: str, directory: Path) -> MaskedLM:
    """Return the model of a case, its weights read from files."""
    checkpoint = read_case(name, directory)
    require_variables(checkpoint.config, checkpoint.variables)
    model = MaskedLM.from_checkpoint(checkpoint, dtype="float32")
    assert {weight.path for weight in model.weights} <= checkpoint.variables.keys()
    return model


@pytest.mark.parametrize("name", CASES)
def test_texts_that_share_rows_are_scored_as_transformers_scores_them(
    name: str, tmp_path: Path
) -> None:
    """On the engine of Keras' backend, alone and in company."""
    engine = find_engine(keras.config.backend())(load_case(name, tmp_path))
    texts = encode_texts()
    together = engine.run(collate(texts, engine.shapes), 1).logits
    np.testing.assert_allclose(together, list_expected(name), atol=1e-4)
    alone = [engine.run(collate([text], engine.shapes), 1).logits for text in texts]
    np.testing.assert_allclose(np.concatenate(alone), list_expected(name), atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_padded_rows_are_scored_as_transformers_scores_them(name: str, tmp_path: Path) -> None:
    """The model as Keras trains it: a text a row, padding behind it."""
    model = load_case(name, tmp_path)
    texts = list_texts()
    longest = max(map(len, texts))
    ids = np.array([text + [0] * (longest - len(text)) for text in texts], np.int32)
    padding_mask = np.array([[1] * len(t) + [0] * (longest - len(t)) for t in texts], np.int32)
    rows, places = np.nonzero((ids == MASK) & (padding_mask == 1))
    features = {
        "token_ids": ids[rows],
        "segment_ids": np.zeros_like(ids[rows]),
        "padding_mask": padding_mask[rows],
        "mask_positions": places[:, None].astype(np.int32),
    }
    taken = {name: features[name] for name in model.input}
    logits = keras.ops.convert_to_numpy(model(taken))[:, 0]
    np.testing.assert_allclose(logits, list_expected(name), atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_model_is_made_anew_from_its_config(name: str, tmp_path: Path) -> None:
    """What Keras saves of a model says all differences from BERT."""
    model = load_case(name, tmp_path)
    made = type(model).from_config(model.get_config())
    assert made.to_config() == model.to_config()
    assert [weight.path for weight in made.weights] == [weight.path for weight in model.weights]
