"""The shapes that arrays may have: any for a runtime that compiles none, few for one that does."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

_STEP = 8
_WIDTHS = (32, 64, 96, 128)
_BUCKET_WIDTHS = (32, 128, 512)
_ROWS = (
    *range(1, 8),
    *range(8, 16, 2),
    *range(16, 32, 4),
    *range(32, 64, 8),
    *range(64, 128, 16),
    *range(128, 257, 32),
)
_PREDICTIONS = (128,)
_TARGETS = (16, 1024)
_TOKENS_A_QUERY = 16
_FEWEST_QUERIES = 2


class Shapes(Protocol):
    """What sizes are rounded up to."""

    def widths(self, longest: int) -> Sequence[int]:
        """Return the widths that rows may have for texts up to such a length, ascending."""
        ...

    def rows(self, rows: int) -> int:
        """Return how many rows to compute for so many with texts in them."""
        ...

    def queries(self, most: int, width: int) -> int:
        """Return how many masks a row to compute at a time, where a row has so many."""
        ...

    def masks(self, masks: int, queries: int) -> int:
        """Return how many masks to compute for so many, out of the queries of all rows."""
        ...

    def predictions(self, k: int) -> int:
        """Return how many predictions a mask to compute."""
        ...

    def targets(self, targets: int) -> int:
        """Return how many targets a mask to look up; none stays none."""
        ...

    def list_compiled(
        self, max_texts: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield rows and width of every shape that is compiled, within the limits of a batch."""
        ...


class OpenShapes:
    """Sizes as they come: nothing is compiled for them.

    Lengths go in steps of eight, for a runtime keeps what it has worked out for a shape.
    """

    def widths(self, longest: int) -> Sequence[int]:
        """Return the next multiple of eight, and what is wider and may hold more texts."""
        narrowest = -(-longest // _STEP) * _STEP
        return (narrowest, *(width for width in _WIDTHS if width > narrowest))

    def rows(self, rows: int) -> int:
        """Return all of them."""
        return rows

    def queries(self, most: int, width: int) -> int:
        """Return all of them."""
        del width
        return most

    def masks(self, masks: int, queries: int) -> int:
        """Return all of them."""
        del queries
        return masks

    def predictions(self, k: int) -> int:
        """Return as many."""
        return k

    def targets(self, targets: int) -> int:
        """Return as many."""
        return targets

    def list_compiled(
        self, max_texts: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield none."""
        del max_texts, max_tokens, max_length
        return iter(())


class ShapeBuckets:
    """Few sizes, so that all of them can be compiled before the first request."""

    def widths(self, longest: int) -> Sequence[int]:
        """Return 32 and 128 as far as they hold it, or else 512, or the next power of two."""
        widths = [width for width in _BUCKET_WIDTHS[:-1] if width >= longest]
        return widths or [_round_up(longest, _BUCKET_WIDTHS)]

    def rows(self, rows: int) -> int:
        """Return all of up to 8, and the next of four steps to each doubling from there on."""
        return _round_up(rows, _ROWS)

    def queries(self, most: int, width: int) -> int:
        """Return one for every 16 tokens: where a row has more, they take several goes."""
        del most
        return max(_FEWEST_QUERIES, width // _TOKENS_A_QUERY)

    def masks(self, masks: int, queries: int) -> int:
        """Return as many as there are queries."""
        del masks
        return queries

    def predictions(self, k: int) -> int:
        """Return 128 for every number up to that."""
        return _round_up(k, _PREDICTIONS)

    def targets(self, targets: int) -> int:
        """Return 16 or 1024, or more where more are asked for."""
        return _round_up(targets, _TARGETS) if targets else 0

    def list_compiled(
        self, max_texts: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield every one, the small ones first: a text alone may be of any length."""
        widest = self.widths(max_length)[-1]
        width = 0
        while width < widest:
            width = self.widths(width + 1)[0]
            # First fit leaves at most one row no more than half full.
            most = min(max_texts, 2 * max_tokens // width + 1)
            rows = 0
            while rows < most:
                rows = self.rows(rows + 1)
                yield rows, width


def _round_up(value: int, sizes: tuple[int, ...]) -> int:
    index = bisect_left(sizes, value)
    return sizes[index] if index < len(sizes) else _next_power_of_two(value)


def _next_power_of_two(value: int) -> int:
    return 1 << max(0, value - 1).bit_length()
