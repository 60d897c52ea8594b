"""Filling, with a table of scores where an engine would be."""

import numpy as np
import pytest

from fakes import MAX_SEQUENCE_LENGTH, make_tokenizer
from model_store.errors import MaskNotFoundError, RequestLimitError
from model_store.tasks import Done, TaskLimits, advance
from model_store.tasks.fill import FillRequest
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec


@pytest.fixture
def codec() -> TextCodec:
    """Return a codec with a small vocabulary."""
    return TextCodec(make_tokenizer(), MAX_SEQUENCE_LENGTH)


def score(*entries: tuple[int, float]) -> MaskScores:
    """Return the scores of one mask from ids and probabilities."""
    ids, probabilities = zip(*entries, strict=True)
    return MaskScores(np.array(ids, np.int32), np.log(probabilities, dtype=np.float32))


def test_filling_takes_one_round(codec: TextCodec) -> None:
    """A row an input; the answer names what came back."""
    task = FillRequest(["the [MASK]", "the cat [MASK]"], top_k=2).start(codec, TaskLimits())
    encodings = advance(task)
    assert not isinstance(encodings, Done)
    assert [encoding.text for encoding in encodings] == ["the [MASK]", "the cat [MASK]"]
    done = advance(task, [[score((7, 0.75), (8, 0.25))], [score((8, 0.5), (7, 0.5))]])
    assert isinstance(done, Done)
    [first, second] = done.answer
    assert [(p.token, p.score) for p in first.predictions[0]] == [
        (7, pytest.approx(0.75)),
        (8, pytest.approx(0.25)),
    ]
    assert [p.token for p in second.predictions[0]] == [8, 7]


def test_text_at_fault_is_named_before_the_first_round(codec: TextCodec) -> None:
    """Nothing was asked of an engine then."""
    task = FillRequest(["the [MASK]", "the cat"], top_k=2).start(codec, TaskLimits())
    with pytest.raises(MaskNotFoundError) as raised:
        advance(task)
    assert raised.value.input == 1


def test_too_many_predictions_are_refused_before_the_first_round(codec: TextCodec) -> None:
    """All texts and masks count."""
    task = FillRequest(["the [MASK] [MASK]"], top_k=3).start(codec, TaskLimits(max_predictions=5))
    with pytest.raises(RequestLimitError, match="6 predictions and the limit is 5"):
        advance(task)
