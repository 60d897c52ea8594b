"""The shapes that arrays may have: any for a runtime that compiles none, few for one that does."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

_STEP = 8
_LENGTHS = (
    *range(16, 32, 4),
    *range(32, 64, 8),
    *range(64, 128, 16),
    *range(128, 256, 32),
    *range(256, 513, 64),
)
_ROWS = (1, 4, 16, 64, 256)
_PREDICTIONS = (128,)
_TARGETS = (16, 1024)


class Shapes(Protocol):
    """What sizes are rounded up to."""

    def rows(self, rows: int) -> int:
        """Return how many rows to compute for so many texts."""
        ...

    def length(self, length: int) -> int:
        """Return the length to pad to."""
        ...

    def masks(self, masks: int, rows: int) -> int:
        """Return how many masks to compute at a time."""
        ...

    def predictions(self, k: int) -> int:
        """Return how many predictions a mask to compute."""
        ...

    def targets(self, targets: int) -> int:
        """Return how many targets a mask to look up; none stays none."""
        ...

    def list_compiled(
        self, max_rows: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield rows and length of every shape that is compiled, within the limits of a batch."""
        ...


class OpenShapes:
    """Sizes as they come: nothing is compiled for them.

    Lengths go in steps of eight, for a runtime keeps what it has worked out for a shape.
    """

    def rows(self, rows: int) -> int:
        """Return all of them."""
        return rows

    def length(self, length: int) -> int:
        """Return the next multiple of eight."""
        return -(-length // _STEP) * _STEP

    def masks(self, masks: int, rows: int) -> int:
        """Return all of them."""
        del rows
        return masks

    def predictions(self, k: int) -> int:
        """Return as many."""
        return k

    def targets(self, targets: int) -> int:
        """Return as many."""
        return targets

    def list_compiled(
        self, max_rows: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield none."""
        del max_rows, max_tokens, max_length
        return iter(())


class ShapeBuckets:
    """Few sizes, so that all of them can be compiled before the first request."""

    def rows(self, rows: int) -> int:
        """Return the next power of four: what a small batch pads costs an accelerator nothing."""
        return _round_up(rows, _ROWS)

    def length(self, length: int) -> int:
        """Return the next of 21 lengths up to 512, then the next power of two."""
        return _round_up(length, _LENGTHS)

    def masks(self, masks: int, rows: int) -> int:
        """Return one a row: more are computed in several goes."""
        del masks
        return rows

    def predictions(self, k: int) -> int:
        """Return 128 for every number up to that."""
        return _round_up(k, _PREDICTIONS)

    def targets(self, targets: int) -> int:
        """Return 16 or 1024, or more where more are asked for."""
        return _round_up(targets, _TARGETS) if targets else 0

    def list_compiled(
        self, max_rows: int, max_tokens: int, max_length: int
    ) -> Iterator[tuple[int, int]]:
        """Yield every one, the small ones first: a text alone may be of any length."""
        length = 0
        while length < max_length:
            length = min(self.length(length + 1), max_length)
            rows = 1
            while rows == 1 or (rows * length <= max_tokens and rows <= max_rows):
                yield rows, length
                rows = self.rows(rows + 1)


def _round_up(value: int, sizes: tuple[int, ...]) -> int:
    index = bisect_left(sizes, value)
    return sizes[index] if index < len(sizes) else _next_power_of_two(value)


def _next_power_of_two(value: int) -> int:
    return 1 << max(0, value - 1).bit_length()
