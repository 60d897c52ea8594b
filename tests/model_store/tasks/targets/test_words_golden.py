"""Whole words against Transformers, which scored each piece on a plain text of its own."""

import math
from typing import Any

import pytest

from golden.word_cases import WORDS, read_words
from model_store.engines.fill_mask import FillMaskModel
from model_store.tasks import Done, TaskLimits, advance
from model_store.tasks.targets import TargetsRequest
from model_store.text.targeted_text import TargetedText


@pytest.fixture(scope="module")
def answers(embedded_model: FillMaskModel) -> list[TargetedText]:
    """Return what the embedded preset says of all words."""
    request = TargetsRequest(list(WORDS), list(WORDS.values()))
    task = request.start(embedded_model, TaskLimits())
    step = advance(task)
    while not isinstance(step, Done):
        step = advance(task, embedded_model.predict(step))
    return step.answer


def test_words_are_scored_as_by_transformers(answers: list[TargetedText]) -> None:
    """The pieces are the same, and the log-probability of each within a hundred-thousandth.

    Transformers computed in float64: what is left is float32's.
    """
    compared = 0
    for line, answer in zip(read_words(), answers, strict=True):
        assert answer.encoding.text == line["inputs"]
        for expected, scored in zip(line["masks"], answer.masks, strict=True):
            by_word: dict[str, Any] = {each.target.text: each for each in scored}
            for word, pieces, log_probability, (lowest, highest) in expected:
                found = by_word.pop(word)
                assert list(found.target.entries) == pieces
                near = 1e-5 * len(pieces)
                assert found.log_probability == pytest.approx(log_probability, abs=near), word
                assert found.score == pytest.approx(math.exp(log_probability), abs=1e-5), word
                assert lowest <= found.rank <= highest, word
                compared += 1
            assert not by_word
    assert compared > 40
