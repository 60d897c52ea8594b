"""Filling masks together, with a table of scores where an engine would be."""

import math
from itertools import product

import pytest

from fakes import MAX_SEQUENCE_LENGTH, VOCABULARY
from model_store.errors import (
    DistantMasksError,
    InputError,
    RequestLimitError,
    TextTooLongError,
    TooManyMasksError,
)
from model_store.tasks import TaskLimits, advance
from model_store.tasks.joint.beam import count_rows
from model_store.tasks.joint.request import JointRequest, JointText
from model_store.tasks.joint.variants import SpanLengths
from model_store.text.text_codec import TextCodec
from score_tables import ScoreTable

TEXT = "The [MASK] [MASK] sat [MASK]."


@pytest.fixture
def table() -> ScoreTable:
    """Return scores of a small vocabulary."""
    return ScoreTable(len(VOCABULARY), seed=3)


def fill(
    table: ScoreTable,
    codec: TextCodec,
    *texts: str,
    width: int = 4,
    span: SpanLengths | None = None,
) -> list[JointText]:
    """Return the answers for texts."""
    request = JointRequest(texts, 3, width, span)
    return table.drive(request.start(codec, TaskLimits()))


def test_answer_is_likeliest_first(table: ScoreTable, codec: TextCodec) -> None:
    """As many as were asked for, each with what its masks gave."""
    [answer] = fill(table, codec, TEXT)
    assert answer.tokens == 8
    assert len(answer.sequences) == 3
    assert sorted(answer.sequences, key=lambda s: -s.log_prob) == list(answer.sequences)
    for sequence in answer.sequences:
        masks = [mask for span in sequence.spans for mask in span.masks]
        assert sorted(mask.order for mask in masks) == [0, 1, 2]
        assert sum(math.log(mask.conditional) for mask in masks) == pytest.approx(sequence.log_prob)
        assert sequence.mean_log_prob == pytest.approx(sequence.log_prob / 3)
        [first] = [mask for mask in masks if mask.order == 0]
        assert first.marginal == first.conditional


def test_masks_side_by_side_are_one_span(table: ScoreTable, codec: TextCodec) -> None:
    """With its place in the caller's text, and what stands there now."""
    [answer] = fill(table, codec, TEXT)
    for sequence in answer.sequences:
        first, second = sequence.spans
        assert (TEXT[first.start : first.end], len(first.masks)) == ("[MASK] [MASK]", 2)
        assert (TEXT[second.start : second.end], len(second.masks)) == ("[MASK]", 1)
        assert [VOCABULARY[mask.token] for mask in first.masks] == [
            mask.token_str for mask in first.masks
        ]


@pytest.mark.parametrize("seed", range(8))
def test_independent_filling_is_never_better(codec: TextCodec, seed: int) -> None:
    """Also where the beam is too narrow to keep it, and with lengths to choose from."""
    for span in (None, SpanLengths(1, 3)):
        table = ScoreTable(len(VOCABULARY), seed)
        [answer] = fill(table, codec, "[MASK] cat [MASK]", width=1, span=span)
        assert answer.sequences[0].mean_log_prob >= answer.independent.mean_log_prob
        assert {mask.marginal for each in answer.independent.spans for mask in each.masks}


def test_every_length_is_tried(table: ScoreTable, codec: TextCodec) -> None:
    """The best of all lengths is what the best of each gives, compared by the mean a token."""
    text = "[MASK] cat [MASK] [MASK]"
    [answer] = fill(table, codec, text, span=SpanLengths(1, 2))
    fixed = []
    for first, second in product((1, 2), repeat=2):
        written = f"{'[MASK]' * first} cat {'[MASK]' * second}"
        [alone] = fill(table, codec, written)
        fixed += alone.sequences
    best = sorted(fixed, key=lambda sequence: -sequence.mean_log_prob)[:3]
    assert [s.text for s in answer.sequences] == [s.text for s in best]
    assert [s.log_prob for s in answer.sequences] == [s.log_prob for s in best]
    assert answer.tokens == 6


def test_texts_and_lengths_share_rounds(table: ScoreTable, codec: TextCodec) -> None:
    """As many rounds as the longest has; and each answer is what the text has alone."""
    texts = ["the [MASK]", "[MASK] [MASK] cat"]
    answers = fill(table, codec, *texts, span=SpanLengths(1, 3))
    together = list(table.rounds)
    assert together[0] == 6
    assert len(together) <= 4
    alone = [fill(table, codec, text, span=SpanLengths(1, 3))[0] for text in texts]
    assert alone == answers


@pytest.mark.parametrize(
    ("request_", "limits", "message"),
    [
        (JointRequest([TEXT] * 3, 1), TaskLimits(max_inputs=2), "3 inputs"),
        (JointRequest([TEXT], 1, 4), TaskLimits(max_beam_width=3), "4 paths in a beam"),
        (JointRequest([TEXT], 9, 9), TaskLimits(max_top_k=8), "9 sequences a text"),
        (JointRequest([TEXT] * 2, 2, 4), TaskLimits(max_predictions=11), "12 predictions"),
        (JointRequest([TEXT] * 2, 1, 4), TaskLimits(max_rows=27), "28 rows .* limit is 27"),
        (
            JointRequest(["[MASK] cat " * 9], 1, 4, SpanLengths(1, 5), is_cut=True),
            TaskLimits(),
            "308593750 rows .* limit is 1024",
        ),
    ],
)
def test_too_much_is_refused_before_the_first_row(
    codec: TextCodec, request_: JointRequest, limits: TaskLimits, message: str
) -> None:
    """However many lengths there would be to go through."""
    with pytest.raises(RequestLimitError, match=message):
        start(request_, codec, limits)


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("span", [None, SpanLengths(1, 1), SpanLengths(2, 3), SpanLengths(1, 4)])
def test_rows_are_counted_before_they_are_made(
    codec: TextCodec, table: ScoreTable, width: int, span: SpanLengths | None
) -> None:
    """The limit is what would be enough: one row less is refused, and no more are taken."""
    text = "[MASK] cat [MASK] [MASK]"
    choices = [(1, 2)] if span is None else [*product(range(span.least, span.most + 1), repeat=2)]
    rows = sum(count_rows(first + second, width) for first, second in choices)
    request = JointRequest([text], 1, width, span)
    start(request, codec, TaskLimits(max_rows=rows))
    with pytest.raises(RequestLimitError, match=f"{rows} rows"):
        start(request, codec, TaskLimits(max_rows=rows - 1))
    table.drive(request.start(codec, TaskLimits(max_rows=rows)))
    assert sum(table.rounds) <= rows


@pytest.mark.parametrize(
    ("text", "span", "is_cut", "error"),
    [
        ("[MASK] " + "cat " * 29, SpanLengths(1, 2), False, TextTooLongError),
        ("[MASK] " + "cat " * 29 + "[MASK]", None, True, DistantMasksError),
        ("[MASK] cat " * 7, SpanLengths(1, 10), True, TooManyMasksError),
        ("[MASK] cat [MASK]", SpanLengths(15, 15), True, DistantMasksError),
    ],
)
def test_text_that_does_not_fit_is_refused(
    codec: TextCodec, text: str, span: SpanLengths | None, is_cut: bool, error: type[InputError]
) -> None:
    """With the length that its masks may get; and which one it is."""
    request = JointRequest(["the [MASK]", text], 1, 4, span, is_cut)
    with pytest.raises(error) as raised:
        start(request, codec, TaskLimits(max_rows=100_000))
    assert raised.value.input == 1


def test_long_text_is_cut_to_a_window_around_its_masks(table: ScoreTable, codec: TextCodec) -> None:
    """All of them in it, the answer is what the window has alone."""
    text = " ".join(["the cat"] * 20 + ["[MASK] sat [MASK]"] + ["the dog"] * 20)
    request = JointRequest([text], 2, 4, is_cut=True)
    [answer] = table.drive(request.start(codec, TaskLimits()))
    start_, end = answer.seen
    assert answer.is_truncated
    assert len(text[start_:end].split()) == MAX_SEQUENCE_LENGTH - 2
    [alone] = fill(table, codec, text[start_:end])
    assert [s.log_prob for s in alone.sequences[:2]] == [s.log_prob for s in answer.sequences]
    assert answer.sequences[0].text == text[:start_] + alone.sequences[0].text + text[end:]
    assert answer.tokens == 85


def test_text_that_fits_is_seen_whole(table: ScoreTable, codec: TextCodec) -> None:
    """Whether it would be cut or not."""
    text = " the [MASK] sat . "
    for is_cut in (False, True):
        request = JointRequest([text], 2, 4, is_cut=is_cut)
        [answer] = table.drive(request.start(codec, TaskLimits()))
        assert (answer.is_truncated, answer.seen) == (False, (0, len(text)))


def start(request: JointRequest, codec: TextCodec, limits: TaskLimits) -> None:
    """Go up to the first row."""
    request.check(limits)
    advance(request.start(codec, limits))
