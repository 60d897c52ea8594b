"""Sparse vectors, with a table of them where an engine would be."""

from typing import Any

import numpy as np
import pytest

from fakes import MAX_SEQUENCE_LENGTH, VOCABULARY, make_tokenizer
from model_store.errors import EmptyTextError, RequestLimitError, TextTooLongError
from model_store.tasks import Done, TaskLimits, advance, embed_sparse
from model_store.tasks.embed_sparse import EmbedSparseRequest
from model_store.text.encoding import TextLimits
from model_store.text.filled_text import MaskScores, SparseVector
from model_store.text.questions import Sparse
from model_store.text.text_codec import TextCodec

LONG = "the " * MAX_SEQUENCE_LENGTH


@pytest.fixture
def codec() -> TextCodec:
    """Return a codec with a small vocabulary."""
    return TextCodec(make_tokenizer(), MAX_SEQUENCE_LENGTH)


def embed(**values: float) -> list[MaskScores]:
    """Return the vector of a text from the values of entries."""
    ids = np.array([VOCABULARY.index(entry) for entry in values], np.int32)
    vector = SparseVector(ids, np.array(list(values.values()), np.float32))
    return [MaskScores(ids[:0], vector.values[:0], vector=vector)]


def start(codec: TextCodec, limits: TaskLimits | None = None, **options: Any) -> Any:
    """Return a task and its first round."""
    task = EmbedSparseRequest(**options).start(codec, limits or TaskLimits())
    return task, advance(task)


def test_every_token_is_asked_about_once(codec: TextCodec) -> None:
    """Special ones too; a row an input, in one round."""
    task, encodings = start(codec, inputs=["the cat", "dog [MASK]"])
    assert [encoding.token_ids.tolist() for encoding in encodings] == [
        codec.tokenize("the cat").tolist(),
        codec.tokenize("dog [MASK]").tolist(),
    ]
    assert [encoding.mask_positions.tolist() for encoding in encodings] == [[0, 1, 2, 3]] * 2
    assert isinstance(encodings[0].question, Sparse)
    done = advance(task, [embed(cat=1.5, dog=0.5), embed()])
    assert isinstance(done, Done)
    first, second = done.answer
    assert first.vector.values.tolist() == [1.5, 0.5]
    assert (first.entries, second.vector.values.size) == ((), 0)


def test_entries_are_named_on_request(codec: TextCodec) -> None:
    """As the vocabulary spells them."""
    task, _ = start(codec, inputs=["the cat"], with_entries=True)
    done = advance(task, [embed(cat=1.5, dog=0.5)])
    assert isinstance(done, Done)
    assert done.answer[0].entries == ("cat", "dog")


def test_text_at_fault_is_named(codec: TextCodec) -> None:
    """Before anything is asked of an engine."""
    with pytest.raises(EmptyTextError) as raised:
        start(codec, inputs=["the cat", " "])
    assert raised.value.input == 1


def test_long_text_is_refused(codec: TextCodec) -> None:
    """It is never cut unasked."""
    with pytest.raises(TextTooLongError, match="34 tokens"):
        start(codec, inputs=[LONG])
    limits = TaskLimits(text=TextLimits(max_characters=100))
    with pytest.raises(TextTooLongError, match="128 characters"):
        start(codec, limits, inputs=[LONG], truncate=True)


def test_long_text_is_cut_at_its_end_on_request(codec: TextCodec) -> None:
    """What the tokenizer puts around it stays."""
    _, [encoding] = start(codec, inputs=[f"cat {LONG}"], truncate=True)
    whole = codec.tokenize(f"cat {LONG}")
    assert encoding.token_ids.tolist() == [*whole[: MAX_SEQUENCE_LENGTH - 1], whole[-1]]
    assert len(encoding.mask_positions) == MAX_SEQUENCE_LENGTH
    _, [short] = start(codec, inputs=["cat"], truncate=True)
    assert short.token_ids.tolist() == codec.tokenize("cat").tolist()


@pytest.mark.parametrize(
    ("options", "limits", "sentence"),
    [
        ({"inputs": ["a"] * 3}, {"max_inputs": 2}, "3 inputs and the limit is 2"),
        ({"inputs": ["a"] * 3}, {"max_rows": 2}, "3 rows and the limit is 2"),
        ({"inputs": ["a"] * 3, "top_k": 4}, {"max_sparse_values": 11}, "12 values"),
    ],
)
def test_too_much_is_refused_before_a_model_is_loaded(
    options: Any, limits: Any, sentence: str
) -> None:
    """What the request itself shows."""
    with pytest.raises(RequestLimitError, match=sentence):
        EmbedSparseRequest(**options).check(TaskLimits(**limits))


def test_no_round_follows_too_many_values(
    codec: TextCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many are above zero shows only when they come back."""
    monkeypatch.setattr(embed_sparse, "_MOST_VALUES_A_ROUND", 8)
    task, first = start(codec, TaskLimits(max_sparse_values=3), inputs=["the cat"] * 5)
    assert len(first) == 2
    assert {encoding.question.top_k for encoding in first} == {4}
    second = advance(task, [embed(cat=1.0), embed(cat=1.0)])
    assert len(second) == 2  # type: ignore[arg-type]  # the second round of three
    with pytest.raises(RequestLimitError, match="4 values and the limit is 3"):
        advance(task, [embed(cat=1.0), embed(cat=1.0)])


def test_rounds_together_are_the_answer(codec: TextCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, however many there are; never less than a text a round."""
    monkeypatch.setattr(embed_sparse, "_MOST_VALUES_A_ROUND", 1)
    task, step = start(codec, inputs=["cat", "dog", "the"], top_k=2)
    for value in (1.0, 2.0, 3.0):
        assert len(step) == 1
        step = advance(task, [embed(cat=value)])
    assert isinstance(step, Done)
    assert [text.vector.values.tolist() for text in step.answer] == [[1.0], [2.0], [3.0]]
