"""Parity with Transformers' logits, by what is kept in tests/golden."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import golden
from golden.sentences import masked_sentences
from model_store.engines.fill_mask import FillMaskModel
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.questions import Sparse

GOLDEN = Path(golden.__path__[0])
MODELS = {"uncased": "embedded_model", "cased": "tiny_model"}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_pairs_are_answered_as_by_transformers(name: str, request: pytest.FixtureRequest) -> None:
    """The same entries in the same order and log-probabilities within 1e-4; segments matter."""
    model: FillMaskModel = request.getfixturevalue(MODELS[name])
    pairs = json.loads((GOLDEN / "pairs.json").read_text("utf-8"))[name]
    assert len(pairs) == 24
    encodings = [encode_golden(model, pair) for pair in pairs]
    answers = model.predict(encodings)
    for pair, masks in zip(pairs, answers, strict=True):
        assert [mask.token_ids.tolist() for mask in masks] == pair["token_ids_of_masks"]
        found = [mask.log_probabilities for mask in masks]
        assert_allclose(found, pair["log_probabilities"], atol=1e-4)
    joined = model.predict([replace(encoding, segment_ids=None) for encoding in encodings])
    pooled = [
        np.concatenate([m.log_probabilities for text in a for m in text]) for a in (answers, joined)
    ]
    assert np.abs(pooled[0] - pooled[1]).max() > 0.1


def encode_golden(model: FillMaskModel, pair: dict[str, Any]) -> Encoding:
    """Return a pair as Transformers' tokenizer reads it."""
    token_ids = np.array(pair["token_ids"], np.int32)
    masks = np.flatnonzero(token_ids == model.mask_token_id)
    segment_ids = np.array(pair["segment_ids"], np.int32)
    return Encoding("", token_ids, masks, (), None, 5, segment_ids=segment_ids)


def test_vectors_equal_those_of_transformers_logits(embedded_model: FillMaskModel) -> None:
    """The largest entries, the number of all and their sum, on a hundred texts within 1e-4."""
    kept = np.load(GOLDEN / "sparse.npz")
    texts = masked_sentences()[:200:2]
    encodings = [
        embedded_model.encode_tokens(text, Sparse(), TextLimits(), truncate=False) for text in texts
    ]
    assert len(encodings) == len(kept["counts"]) == 100
    for index, [answer] in enumerate(embedded_model.predict(encodings)):
        vector = answer.vector
        assert vector is not None
        dense = np.zeros(embedded_model.facts.vocabulary_size)
        dense[vector.token_ids] = vector.values
        assert_allclose(dense[kept["token_ids"][index]], kept["values"][index], atol=1e-4)
        assert dense.max() == pytest.approx(kept["values"][index].max(), abs=1e-4)
        assert dense.sum() == pytest.approx(kept["sums"][index], abs=1e-4 * kept["counts"][index])
        # Which of those that are hardly above zero are is rounding.
        assert len(vector.values) == pytest.approx(kept["counts"][index], abs=5)
