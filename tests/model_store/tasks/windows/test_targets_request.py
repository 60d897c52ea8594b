"""Targets in long texts, with a table of scores where an engine would be."""

import pytest

from fakes import MAX_SEQUENCE_LENGTH, VOCABULARY
from model_store.errors import (
    InputError,
    RequestLimitError,
    TargetsMismatchError,
    TextTooLongError,
)
from model_store.tasks import TaskLimits, advance
from model_store.tasks.targets import TargetsOfText, TargetsRequest
from model_store.tasks.windows.cut_text import SeenText
from model_store.tasks.windows.targets_request import WindowTargetsRequest
from model_store.text.targeted_text import TargetedText
from model_store.text.text_codec import TextCodec
from ranked_tables import RankedTable

LONG = " ".join(["[MASK] cat", *["the dog"] * 30, "sat [MASK]"])
WORDS = ("paris", "cat sat", "zebra", "the capital of")


def score(
    codec: TextCodec, *texts: str, targets: TargetsOfText = WORDS
) -> list[SeenText[TargetedText]]:
    """Return the answers for texts, each with the same targets."""
    request = WindowTargetsRequest(texts, [targets] * len(texts))
    return RankedTable(len(VOCABULARY), seed=5).drive(request.start(codec, TaskLimits()))


def score_whole(codec: TextCodec, text: str) -> TargetedText:
    """Return the answer for a text that fits."""
    task = TargetsRequest([text], [WORDS]).start(codec, TaskLimits())
    [answer] = RankedTable(len(VOCABULARY), seed=5).drive(task)
    return answer


@pytest.mark.parametrize("text", ["[MASK]", " the [MASK] cat [MASK]. ", "the " * 27 + "[MASK]"])
def test_text_within_the_limit_is_scored_as_ever(codec: TextCodec, text: str) -> None:
    """The last one is as long as the model takes with the longest target in it."""
    [seen] = score(codec, text)
    plain = score_whole(codec, text)
    assert seen.answer.masks == plain.masks
    assert (seen.is_truncated, set(seen.seen)) == (False, {(0, len(text))})


def test_each_window_leaves_room_for_the_longest_target(codec: TextCodec) -> None:
    """What was seen, sent alone, has the same answer; the place is that in the whole text."""
    [seen] = score(codec, LONG)
    assert seen.is_truncated
    parts = [LONG[start:end] for start, end in seen.seen]
    assert [len(part.split()) for part in parts] == [MAX_SEQUENCE_LENGTH - 2 - 2] * 2
    alone = [score_whole(codec, part) for part in parts]
    assert seen.answer.masks == (alone[0].masks[0], alone[1].masks[0])
    [best, *_] = seen.answer.masks[1]
    assert seen.answer.spliced_sequence(1, best) == LONG.removesuffix("[MASK]") + best.target.text


def test_each_mask_has_its_own_targets(codec: TextCodec) -> None:
    """Whichever window it is in."""
    [seen] = score(codec, LONG, targets=[["paris"], ["london", "of the"]])
    assert [{scored.target.text for scored in mask} for mask in seen.answer.masks] == [
        {"paris"},
        {"london", "of the"},
    ]


@pytest.mark.parametrize(
    ("targets", "limits", "error"),
    [
        ([["paris"]], TaskLimits(max_rows=2), RequestLimitError),
        ([["paris", "cat"]], TaskLimits(max_predictions=4), RequestLimitError),
        ([["paris"]], TaskLimits(max_inputs=1), RequestLimitError),
        ([["paris", "the " * 31]], TaskLimits(), TextTooLongError),
        ([["paris", "the " * 40]], TaskLimits(), TextTooLongError),
        ([[["paris"], ["cat"], ["dog"]]], TaskLimits(), TargetsMismatchError),
    ],
)
def test_what_cannot_be_scored_is_refused_before_the_first_row(
    codec: TextCodec, targets: list[TargetsOfText], limits: TaskLimits, error: type[InputError]
) -> None:
    """A window is a row; no window is long enough for every target."""
    request = WindowTargetsRequest(["the [MASK]", LONG], [["paris"], *targets])
    with pytest.raises(error):
        _start(request, codec, limits)


def test_target_that_fills_a_window_is_scored(codec: TextCodec) -> None:
    """There is no room for any of the text then."""
    [seen] = score(codec, LONG, targets=["the " * 30])
    assert [LONG[start:end] for start, end in seen.seen] == ["[MASK]"] * 2


def _start(request: WindowTargetsRequest, codec: TextCodec, limits: TaskLimits) -> None:
    request.check(limits)
    advance(request.start(codec, limits))
