"""Driving one task with a model at hand, and a table of scores where that would be."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_store.errors import EmptyTextError
from model_store.tasks import Task, cut, drive
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

NO_FLOATS = np.zeros(0, np.float32)


def make_row(length: int, number: int = 0) -> Encoding:
    """Return a row of a length, known by its number."""
    ids = np.zeros(length, np.int32)
    return Encoding(str(number), ids, np.array([0]), ((0, 0),), None, top_k=1)


def answer(rows: Sequence[Encoding]) -> list[list[MaskScores]]:
    """Give every row its own number as a candidate."""
    return [[MaskScores(np.array([int(row.text)], np.int32), NO_FLOATS)] for row in rows]


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 12), st.integers(1, 5))
def test_round_is_cut_into_batches_that_fit(
    lengths: list[int], max_tokens: int, max_rows: int
) -> None:
    """In order, none lost, none empty, and each as large as may be."""
    rows = [make_row(*pair) for pair in zip(lengths, range(len(lengths)), strict=True)]
    batches = list(cut(rows, max_tokens, max_rows))
    assert [row.text for batch in batches for row in batch] == [row.text for row in rows]
    sizes = [sum(len(row.token_ids) for row in batch) for batch in batches]
    for batch, size in zip(batches, sizes, strict=True):
        assert 1 <= len(batch) <= max_rows
        assert size <= max_tokens or len(batch) == 1
    for batch, size, following in zip(batches, sizes, batches[1:], strict=False):
        assert len(batch) == max_rows or size + len(following[0].token_ids) > max_tokens


def test_rounds_follow_each_other_to_the_answer() -> None:
    """Each round is sent what its rows were given, in order, however it was cut."""
    batches: list[list[str]] = []

    def predict(rows: Sequence[Encoding]) -> list[list[MaskScores]]:
        batches.append([row.text for row in rows])
        return answer(rows)

    def ask() -> Task[list[int]]:
        first = yield [make_row(2, number) for number in range(3)]
        second = yield [make_row(2, 7)]
        third = yield []
        assert not third
        return [int(mask.token_ids[0]) for results in (first, second) for [mask] in results]

    assert drive(ask(), predict, max_tokens=4) == [0, 1, 2, 7]
    assert batches == [["0", "1"], ["2"], ["7"]]


def test_refusal_comes_before_anything_runs() -> None:
    """As the task raises it."""

    def refuse() -> Task[None]:
        yield from ()
        raise EmptyTextError

    with pytest.raises(EmptyTextError):
        drive(refuse(), answer, max_tokens=4)
