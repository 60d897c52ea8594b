"""What is asked of a mask is answered for every family by the plain logits of its model."""

from typing import Any

import keras
import numpy as np
import pytest

from family_models import FAMILY_CASES, FamilyCase
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.keras_loader import find_engine, make_model
from model_store.tasks import TaskLimits, TaskRequest, drive
from model_store.tasks.embed_sparse import EmbedSparseRequest
from model_store.tasks.fill import FillRequest
from model_store.tasks.score import ScoreRequest

pytestmark = pytest.mark.parametrize("loaded", FAMILY_CASES, ids=str, indirect=True)

MANY, ONE = 4096, 1
"""Tokens a batch: all texts in one, and each alone."""


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> tuple[FamilyCase, Any, FillMaskModel]:
    """Return a case, its model, and that on the engine of Keras' backend."""
    case = request.param
    model = case.make_model()
    engine = find_engine(keras.config.backend())
    return case, model, make_model(model.to_checkpoint(), engine, "float32")


def ask(served: FillMaskModel, request: TaskRequest[Any], tokens: int = MANY) -> Any:
    """Return the answer of a task whose batches have so many tokens."""
    return drive(request.start(served, TaskLimits()), served.predict, tokens)


def read_logits(model: Any, ids: list[int], positions: list[int]) -> Any:
    """Return the plain logits of a text, `[positions, vocabulary]`."""
    made = {
        "token_ids": ids,
        "padding_mask": [1] * len(ids),
        "segment_ids": [0] * len(ids),
        "mask_positions": positions,
    }
    features = {name: np.array([made[name]], np.int32) for name in model.input}
    return keras.ops.convert_to_numpy(model(features))[0]


def test_masks_in_company_are_filled_as_alone(loaded: Any) -> None:
    """Texts that share rows see nothing of each other."""
    case, model, served = loaded
    texts = [f"{text} {served.mask_token}" for text in (*case.texts, *reversed(case.texts))]
    together, alone = (ask(served, FillRequest(texts, 5), tokens) for tokens in (MANY, ONE))
    for text, one, other in zip(texts, together, alone, strict=True):
        [ours], [theirs] = one.predictions, other.predictions
        assert [each.token for each in ours] == [each.token for each in theirs]
        scores = [each.score for each in ours]
        np.testing.assert_allclose(scores, [each.score for each in theirs], atol=1e-5)
        ids = model.preprocessor.tokenizer.subwords.encode(text).ids
        logits = read_logits(model, ids, [ids.index(served.mask_token_id)])[0]
        expected = np.sort(np.exp(logits - np.logaddexp.reduce(logits)))[::-1][:5]
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_scores_are_those_of_the_logits(loaded: Any) -> None:
    """Each token masked alone, in company and not."""
    case, model, served = loaded
    mask = served.mask_token_id
    for tokens in (MANY, ONE):
        answers = ask(served, ScoreRequest(list(case.texts), method="pll"), tokens)
        for text, answer in zip(case.texts, answers, strict=True):
            ids = model.preprocessor.tokenizer.subwords.encode(text).ids
            found = []
            for place in range(1, len(ids) - 1):
                logits = read_logits(model, [*ids[:place], mask, *ids[place + 1 :]], [place])[0]
                found.append(logits[ids[place]] - np.logaddexp.reduce(logits))
            np.testing.assert_allclose([t.log_prob for t in answer.tokens], found, atol=1e-4)


def test_sparse_vectors_are_those_of_the_logits(loaded: Any) -> None:
    """What every position says of an entry at the most, as SPLADE has it."""
    case, model, served = loaded
    for tokens in (MANY, ONE):
        answers = ask(served, EmbedSparseRequest(list(case.texts)), tokens)
        for text, answer in zip(case.texts, answers, strict=True):
            ids = model.preprocessor.tokenizer.subwords.encode(text).ids
            logits = read_logits(model, ids, list(range(len(ids))))
            expected = np.log1p(np.maximum(logits.max(axis=0), 0))
            found = np.zeros_like(expected)
            found[answer.vector.token_ids] = answer.vector.values
            np.testing.assert_allclose(found, expected, atol=1e-4)
