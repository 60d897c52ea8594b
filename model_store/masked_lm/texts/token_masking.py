"""Masking tokens for training, as BERT was trained (Devlin et al., 2019), whole batches at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEVER = 2.0
"""A key behind every other: those of tokens that may be selected are below 1."""


@dataclass(frozen=True, slots=True)
class MaskedTokens:
    """A batch after masking, under KerasHub's names.

    Attributes:
        token_ids: `[rows, length]` int32, the tokens with some replaced.
        mask_positions: `[rows, masks]` int32, ascending; padded with 0.
        mask_ids: `[rows, masks]` int32, what stood there; padded with 0.
        mask_weights: `[rows, masks]` float32, 1 at real masks and 0 at padding.
    """

    token_ids: NDArray[np.int32]
    mask_positions: NDArray[np.int32]
    mask_ids: NDArray[np.int32]
    mask_weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenMasker:
    """Selects tokens and replaces them.

    Attributes:
        vocabulary_size: a random token is any of these, a special one too, as in BERT's code.
        mask_token_id: the id of `[MASK]`.
        unselectable_token_ids: ids that are never selected.
        mask_selection_rate: how likely a token is selected.
        mask_selection_length: the most masks a row, and the width of the arrays.
        mask_token_rate: how many of the selected tokens become `[MASK]`.
        random_token_rate: how many become a random token; the rest stay as they are.
        exact: whether a row has its share of masks to the nearest whole number and one at the
            least, as in BERT's code, rather than as many as chance gives, as in KerasHub's.

    Raises:
        ValueError: a rate is none, or a length is not positive.
    """

    vocabulary_size: int
    mask_token_id: int
    unselectable_token_ids: Sequence[int]
    mask_selection_rate: float = 0.15
    mask_selection_length: int = 96
    mask_token_rate: float = 0.8
    random_token_rate: float = 0.1
    exact: bool = False

    def __post_init__(self) -> None:
        """Check the numbers: wrong ones would train a wrong model without a word."""
        _require_rate("mask_selection_rate", self.mask_selection_rate)
        _require_rate("mask_token_rate", self.mask_token_rate)
        _require_rate("random_token_rate", self.random_token_rate)
        _require_rate(
            "mask_token_rate + random_token_rate", self.mask_token_rate + self.random_token_rate
        )
        if self.mask_selection_length < 1:
            message = (
                f"mask_selection_length is {self.mask_selection_length}; give a positive number."
            )
            raise ValueError(message)

    def mask(self, token_ids: NDArray[np.int32], rng: np.random.Generator) -> MaskedTokens:
        """Select and replace tokens of a `[rows, length]` batch, which is left as it is."""
        return self.replace(token_ids, *self._select(token_ids, rng), rng)

    def replace(
        self,
        token_ids: NDArray[np.int32],
        positions: NDArray[np.int64],
        real: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> MaskedTokens:
        """Replace tokens of a `[rows, length]` batch that somebody else has selected.

        Args:
            token_ids: the batch, which is left as it is.
            positions: `[rows, masks]`, ascending; 0 where there is none.
            real: `[rows, masks]`, where there is one.
            rng: decides what each becomes.
        """
        mask_ids = np.where(real, np.take_along_axis(token_ids, positions, axis=1), 0)
        masked = token_ids.copy()
        rows, slots = np.nonzero(real)
        chosen = mask_ids[rows, slots]
        masked[rows, positions[rows, slots]] = self._draw(chosen, rng)
        return MaskedTokens(
            masked,
            positions.astype(np.int32),
            mask_ids.astype(np.int32),
            real.astype(np.float32),
        )

    def _select(
        self, token_ids: NDArray[np.int32], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return positions and which of them are masks, both `[rows, mask_selection_length]`.

        Every token draws a key; a row's smallest keys are its masks. Keys below the rate are
        uniform among themselves, so cutting the largest of them off at the limit favours nobody.
        """
        length, width = token_ids.shape[1], self.mask_selection_length
        selectable = ~np.isin(token_ids, self.unselectable_token_ids)
        keys = np.where(selectable, rng.random(token_ids.shape), _NEVER)
        counts = np.minimum(self._count(selectable, keys), width)
        order = np.argsort(keys, axis=1)[:, :width]
        order = np.pad(order, ((0, 0), (0, width - order.shape[1])))
        real = np.arange(width) < counts[:, None]
        # Padding sorts behind every position, and is 0 in the end.
        positions = np.sort(np.where(real, order, length), axis=1)
        return np.where(real, positions, 0), real

    def _count(self, selectable: NDArray[np.bool_], keys: NDArray[np.float64]) -> NDArray[np.int64]:
        counts: NDArray[np.int64]
        if not self.exact:
            counts = (keys < self.mask_selection_rate).sum(axis=1)
            return counts
        available: NDArray[np.int64] = selectable.sum(axis=1)
        wanted = np.rint(available * self.mask_selection_rate).astype(np.int64)
        counts = np.clip(wanted, np.minimum(available, 1), available)
        return counts

    def _draw(self, chosen: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        dice = rng.random(chosen.shape)
        random_ids = rng.integers(self.vocabulary_size, size=chosen.shape, dtype=np.int32)
        return np.select(
            [dice < self.mask_token_rate, dice < self.mask_token_rate + self.random_token_rate],
            [np.int32(self.mask_token_id), random_ids],
            chosen,
        )


def _require_rate(name: str, value: float) -> None:
    # Sums of rates like 0.9 + 0.1 may exceed 1 by a rounding error.
    if not 0 <= value <= 1 + 1e-9:
        message = f"{name} is {value}; give a number from 0 to 1."
        raise ValueError(message)
