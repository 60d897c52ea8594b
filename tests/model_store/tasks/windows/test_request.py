"""Filling long texts, with a table of scores where an engine would be."""

import pytest

from fakes import MAX_SEQUENCE_LENGTH, VOCABULARY
from model_store.errors import MaskNotFoundError, RequestLimitError, TooManyMasksError
from model_store.tasks import Round, TaskLimits, advance
from model_store.tasks.fill import FillRequest
from model_store.tasks.windows.cut_text import SeenText
from model_store.tasks.windows.request import WindowRequest
from model_store.text.filled_text import FilledText
from model_store.text.text_codec import TextCodec
from score_tables import ScoreTable

LONG = " ".join(["[MASK] cat", *["the dog"] * 30, "[MASK] [MASK]", *["the cat"] * 30, "sat [MASK]"])


@pytest.fixture
def table() -> ScoreTable:
    """Return scores of a small vocabulary."""
    return ScoreTable(len(VOCABULARY), seed=7)


def fill(table: ScoreTable, codec: TextCodec, *texts: str) -> list[SeenText[FilledText]]:
    """Return the answers for texts."""
    return table.drive(WindowRequest(texts, top_k=2).start(codec, TaskLimits()))


@pytest.mark.parametrize("text", ["[MASK]", " the [MASK] cat [MASK]. ", "the " * 29 + "[MASK]"])
def test_text_within_the_limit_is_filled_as_ever(
    table: ScoreTable, codec: TextCodec, text: str
) -> None:
    """The last one is as long as the model takes."""
    [windowed] = fill(table, codec, text)
    [plain] = table.drive(FillRequest([text], top_k=2).start(codec, TaskLimits()))
    assert windowed.answer.predictions == plain.predictions
    assert windowed.answer.encoding.mask_spans == plain.encoding.mask_spans
    assert not windowed.is_truncated
    assert set(windowed.seen) == {(0, len(text))}


def test_long_text_is_seen_through_windows(table: ScoreTable, codec: TextCodec) -> None:
    """One for the masks at each place; what was seen is around each of them."""
    [answer] = fill(table, codec, LONG)
    assert table.rounds == [3]
    assert answer.is_truncated
    parts = [LONG[start:end] for start, end in answer.seen]
    assert parts[0] == LONG[: len(parts[0])]
    assert parts[1] == parts[2] == " ".join(["the dog"] * 7 + ["[MASK] [MASK]"] + ["the cat"] * 7)
    assert parts[3] == LONG[-len(parts[3]) :]
    assert [len(part.split()) for part in parts] == [MAX_SEQUENCE_LENGTH - 2] * 4


def test_answer_is_about_the_whole_text(table: ScoreTable, codec: TextCodec) -> None:
    """Positions and places are those of the text, and sequences hold all of it."""
    [answer] = fill(table, codec, LONG)
    filled = answer.answer
    assert [LONG[start:end] for start, end in filled.encoding.mask_spans] == ["[MASK]"] * 4
    assert filled.encoding.mask_positions.tolist() == [1, 63, 64, 126]
    best = filled.predictions[3][0]
    assert filled.spliced_sequence(3, best) == LONG.removesuffix("[MASK]") + best.token_str


def test_window_is_read_as_a_text_of_its_own(table: ScoreTable, codec: TextCodec) -> None:
    """What was seen, sent alone, has the same answer: special tokens are around it too."""
    [answer] = fill(table, codec, LONG)
    start, end = answer.seen[3]
    [alone] = fill(table, codec, LONG[start:end])
    assert alone.answer.predictions[-1] == answer.answer.predictions[3]


def test_texts_share_a_round(table: ScoreTable, codec: TextCodec) -> None:
    """However many windows each has, and answers come in order."""
    answers = fill(table, codec, "the [MASK]", LONG, "a [MASK]")
    assert table.rounds == [5]
    assert [len(answer.answer.predictions) for answer in answers] == [1, 4, 1]
    [last] = fill(table, codec, "a [MASK]")
    assert last.answer.predictions == answers[2].answer.predictions


@pytest.mark.parametrize(
    ("texts", "limits", "message"),
    [
        ([LONG], TaskLimits(max_rows=2), "3 rows and the limit is 2"),
        ([LONG], TaskLimits(max_predictions=7), "8 predictions and the limit is 7"),
        (["[MASK]"] * 3, TaskLimits(max_inputs=2), "3 inputs and the limit is 2"),
        (["[MASK]"], TaskLimits(max_top_k=1), "2 predictions a mask and the limit is 1"),
    ],
)
def test_too_much_is_refused_before_the_first_row(
    codec: TextCodec, texts: list[str], limits: TaskLimits, message: str
) -> None:
    """Windows count as rows."""
    request = WindowRequest(texts, top_k=2)
    with pytest.raises(RequestLimitError, match=message):
        _start(request, codec, limits)


def test_text_at_fault_is_named(codec: TextCodec) -> None:
    """No window makes up for a text without a mask."""
    request = WindowRequest([LONG, "the cat " * 40], top_k=2)
    with pytest.raises(MaskNotFoundError) as raised:
        _start(request, codec, TaskLimits())
    assert raised.value.input == 1


def test_masks_are_limited_in_long_texts_too(codec: TextCodec) -> None:
    """Over the whole text."""
    limits = TaskLimits(text=TaskLimits().text.__class__(max_masks=3))
    with pytest.raises(TooManyMasksError, match="4 masks and the limit is 3"):
        _start(WindowRequest([LONG], top_k=2), codec, limits)


def _start(request: WindowRequest, codec: TextCodec, limits: TaskLimits) -> Round:
    request.check(limits)
    step = advance(request.start(codec, limits))
    assert isinstance(step, list)
    return step
