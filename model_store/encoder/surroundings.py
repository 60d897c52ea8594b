"""Where tokens stand: which of them may attend to which, and how positions turn their vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

_FORBIDDEN = -3e4
"""Added to the scores of attention: `exp` of it is 0 in every precision."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where tokens of rows stand, each `[rows, tokens]` ints.

    Attributes:
        text_numbers: a token attends to those of its own number.
        positions: where in its text each token is.
    """

    text_numbers: Any
    positions: Any

    def at(self, queries: Any) -> "Places":
        """Return the places of some tokens of each row, `[rows, queries]` ints."""
        return Places(
            ops.take_along_axis(self.text_numbers, queries, axis=1),
            ops.take_along_axis(self.positions, queries, axis=1),
        )


class Surroundings:
    """What the layers need to know of places; each thing is computed once, whoever asks."""

    def __init__(self, asking: Places, asked: Places, dtype: Any) -> None:
        """Take the places of those that attend, and of those that are attended to."""
        self._asking = asking
        self._asked = asked
        self._dtype = dtype
        self._made: dict[Any, Any] = {}

    def bias(self, reach: int | None) -> Any:
        """Return what is added to the scores of attention.

        Args:
            reach: how many positions to each side may be attended to; None means all.

        Returns:
            `[rows, 1, queries, width]`, or what broadcasts to it: 0 where both tokens are of one
            text and within reach, elsewhere far below any score.
        """
        return self._keep(("bias", reach), lambda: self._make_bias(reach))

    def rotate(self, vectors: Any, base: float, *, asking: bool) -> Any:
        """Turn queries or keys, `[rows, heads, tokens, head_dim]`, by where their tokens stand.

        Number `i` of the first half and of the second are a point in a plane. It turns by
        `position / base ** (2 i / head_dim)` (Su et al., 2021, in halves as GPT-NeoX has it).
        """
        places = self._asking if asking else self._asked
        cos, sin = self._keep(
            ("turn", base, asking), lambda: self._make_turn(places, base, vectors.shape[-1])
        )
        first, second = ops.split(vectors, 2, axis=-1)
        return vectors * cos + ops.concatenate([-second, first], axis=-1) * sin

    def _make_bias(self, reach: int | None) -> Any:
        forbidden = self._list_strangers()
        if reach is not None:
            ours, theirs = self._asking.positions, self._asked.positions
            distance = ops.abs(ours[:, None, :, None] - theirs[:, None, None, :])
            forbidden = ops.logical_or(forbidden, distance > reach)
        # No infinity: where all is forbidden, a softmax of it would be no number. It fits float16.
        return ops.cast(forbidden, self._dtype) * _FORBIDDEN

    def _list_strangers(self) -> Any:
        ours, theirs = self._asking.text_numbers, self._asked.text_numbers
        return ours[:, None, :, None] != theirs[:, None, None, :]

    def _make_turn(self, places: Places, base: float, head_dim: int) -> tuple[Any, Any]:
        exponents = ops.arange(0, head_dim, 2, dtype="float32") / head_dim
        angles = ops.cast(places.positions, "float32")[:, None, :, None] / base**exponents
        angles = ops.concatenate([angles, angles], axis=-1)
        return ops.cast(ops.cos(angles), self._dtype), ops.cast(ops.sin(angles), self._dtype)

    def _keep(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class PaddedSurroundings(Surroundings):
    """Those of rows of one text each, filled up with padding, which may attend but not be asked."""

    def __init__(self, padding_mask: Any, dtype: Any) -> None:
        """Take a mask, `[rows, length]` ints, 1 at real tokens and 0 at padding."""
        positions = ops.arange(ops.shape(padding_mask)[1], dtype="int32")[None]
        places = Places(padding_mask, positions)
        super().__init__(places, places, dtype)

    def _list_strangers(self) -> Any:
        return self._asked.text_numbers[:, None, None, :] == 0
