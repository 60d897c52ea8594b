"""One text as the model reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextLimits:
    """How much of one text is looked at, and how much is asked of it."""

    max_characters: int = 100_000
    max_masks: int = 64


@dataclass(frozen=True, slots=True)
class Encoding:
    """A tokenized text and what is asked of it.

    Attributes:
        text: the caller's own.
        token_ids: `[tokens]` int32, special tokens included.
        mask_positions: `[masks]`, indices in `token_ids`, ascending.
        mask_spans: where each mask starts and ends in `text`, in characters.
        target_ids: `[targets]` int32, the entries to score, or None for the likeliest ones.
        top_k: how many predictions a mask to return, at least 1.
    """

    text: str
    token_ids: NDArray[np.int32]
    mask_positions: NDArray[np.int64]
    mask_spans: tuple[tuple[int, int], ...]
    target_ids: NDArray[np.int32] | None
    top_k: int

    @property
    def predictions(self) -> int:
        """How many predictions a mask come back."""
        return self.top_k if self.target_ids is None else min(self.top_k, len(self.target_ids))
