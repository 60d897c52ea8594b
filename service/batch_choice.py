"""Which of the texts that wait run together: the oldest, and those nearest to it in length."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Sized(Protocol):
    """What has a length in tokens."""

    @property
    def length(self) -> int:
        """How many tokens it has."""
        ...


Entry = TypeVar("Entry", bound=Sized)


def choose_batch(
    waiting: Sequence[Entry], most: int, fits: Callable[[int, int], bool]
) -> list[Entry]:
    """Return the entries of the next batch, the first of those that wait always among them.

    Args:
        waiting: who may be chosen, the oldest first; at least one.
        most: how many entries a batch has at the most.
        fits: says whether so many entries, the longest of such a length, make a batch. One entry
            alone is a batch in any case.
    """
    by_length = sorted(waiting, key=lambda entry: entry.length)
    first, last = _grow(by_length, by_length.index(waiting[0]), most, fits)
    return by_length[first:last]


def _grow(
    entries: Sequence[Sized], start: int, most: int, fits: Callable[[int, int], bool]
) -> tuple[int, int]:
    """Return the slice around an entry that makes a batch, grown where it pads the least."""
    first, last = start, start + 1
    while last - first < most:
        longest = entries[last - 1].length
        shorter = longest - entries[first - 1].length if first else None
        longer = (entries[last].length - longest) * (last - first) if last < len(entries) else None
        if longer is not None and (shorter is None or longer < shorter):
            if not fits(last - first + 1, entries[last].length):
                break
            last += 1
        elif shorter is not None:
            if not fits(last - first + 1, longest):
                break
            first -= 1
        else:
            break
    return first, last
