"""Where windows on a long text lie.

A window is as long as a model takes. It lies so that what is asked for is in its middle, with as
much before as behind; at an end of the text there is no more on one side, and so there is more on
the other one. Masks that lie less than half a window apart share one: each still has a quarter of
a window on both sides, or all of the text there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text, and the masks that it is for.

    Attributes:
        tokens: the part, indices of tokens.
        masks: those to fill, by their indices; it may hold others, which have windows of their own.
    """

    tokens: range
    masks: tuple[int, ...]


def cut_windows(positions: Sequence[int], text: range, room: int) -> list[Window]:
    """Return the windows that fill all masks of a text, in their order.

    Args:
        positions: where the masks are, ascending, within `text`.
        text: the indices of the tokens of the text.
        room: the most tokens that a window has, at least 1.
    """
    if len(text) <= room:
        return [Window(text, tuple(range(len(positions))))]
    return [
        Window(centre(positions[masks[0]], positions[masks[-1]], text, room), masks)
        for masks in _group(positions, max(room // 2, 1))
    ]


def centre(first: int, last: int, text: range, room: int) -> range:
    """Return the part of a text that lies evenly around two of its tokens, which it has room for.

    Args:
        first: the one, an index.
        last: the other one, or the same, less than `room` behind it.
        text: the indices of the tokens of the text.
        room: the most tokens of the part.
    """
    if len(text) <= room:
        return text
    start = (first + last + 1 - room) // 2
    start = min(max(start, text.start), text.stop - room)
    return range(start, start + room)


def _group(positions: Sequence[int], reach: int) -> Iterator[tuple[int, ...]]:
    """Yield masks that lie less than `reach` tokens apart, the first from the last of them."""
    group: list[int] = []
    for mask, position in enumerate(positions):
        if group and position - positions[group[0]] >= reach:
            yield tuple(group)
            group = []
        group.append(mask)
    yield tuple(group)
