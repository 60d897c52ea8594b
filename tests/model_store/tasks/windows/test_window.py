"""Windows on long texts: every mask is in one, near its middle."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from model_store.tasks.windows.window import Window, cut_windows


@st.composite
def long_texts(draw: st.DrawFn) -> tuple[list[int], range, int]:
    """Return where masks are, the tokens of a text, and a room that is too small for it."""
    room = draw(st.integers(1, 40))
    start = draw(st.integers(0, 3))
    text = range(start, start + draw(st.integers(room + 1, 400)))
    positions = draw(st.sets(st.sampled_from(text), min_size=1, max_size=12))
    return sorted(positions), text, room


@given(long_texts())
def test_every_mask_has_one_window_that_holds_it(case: tuple[list[int], range, int]) -> None:
    """In order; and all of the room is used."""
    positions, text, room = case
    windows = cut_windows(positions, text, room)
    assert [mask for window in windows for mask in window.masks] == [*range(len(positions))]
    for window in windows:
        assert len(window.tokens) == room
        assert text.start <= window.tokens.start
        assert window.tokens.stop <= text.stop
        assert all(positions[mask] in window.tokens for mask in window.masks)


@given(long_texts())
def test_context_is_equal_on_both_sides(case: tuple[list[int], range, int]) -> None:
    """As far as whole tokens allow, and unless the text ends on one of them."""
    positions, text, room = case
    for window in cut_windows(positions, text, room):
        before = positions[window.masks[0]] - window.tokens.start
        behind = window.tokens.stop - 1 - positions[window.masks[-1]]
        if before > behind + 1:
            assert window.tokens.stop == text.stop
        if behind > before + 1:
            assert window.tokens.start == text.start


@given(long_texts())
def test_masks_that_share_keep_a_quarter_on_each_side(
    case: tuple[list[int], range, int],
) -> None:
    """Or all of the text that there is."""
    positions, text, room = case
    for window in cut_windows(positions, text, room):
        for mask in window.masks:
            before = positions[mask] - window.tokens.start
            behind = window.tokens.stop - 1 - positions[mask]
            assert before >= min(room // 4 - 1, positions[mask] - text.start)
            assert behind >= min(room // 4 - 1, text.stop - 1 - positions[mask])


@given(long_texts())
def test_near_masks_share_a_window(case: tuple[list[int], range, int]) -> None:
    """A window begins where the one before could not have reached."""
    positions, text, room = case
    windows = cut_windows(positions, text, room)
    for one, other in pairwise(windows):
        assert positions[other.masks[0]] - positions[one.masks[0]] >= room // 2


def test_text_that_fits_is_one_window() -> None:
    """However far its masks lie apart."""
    assert cut_windows([1, 9], range(1, 10), 9) == [Window(range(1, 10), (0, 1))]


def test_lone_mask_is_in_the_middle() -> None:
    """In figures: as much before as behind."""
    assert cut_windows([50], range(1, 101), 9) == [Window(range(46, 55), (0,))]
    assert cut_windows([2], range(1, 101), 9) == [Window(range(1, 10), (0,))]
    assert cut_windows([99], range(1, 101), 9) == [Window(range(92, 101), (0,))]
