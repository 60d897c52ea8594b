"""One text as the model reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_store.text.questions import Filtered, Question, Ranked, Sparse


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
        mask_positions: `[masks]`, indices in `token_ids`, ascending: the positions to score, which
            need not hold masks.
        mask_spans: where each mask starts and ends in `text`, in characters.
        target_ids: `[targets]` int32, the entries to score, or None for the likeliest ones.
        top_k: how many predictions a mask to return, at least 1.
        segment_ids: `[tokens]` int32, which segment each token is of, or None where all are of
            segment 0.
        question: what is asked that needs the whole vocabulary, in place of `target_ids` and
            `top_k`, or None.
    """

    text: str
    token_ids: NDArray[np.int32]
    mask_positions: NDArray[np.int64]
    mask_spans: tuple[tuple[int, int], ...]
    target_ids: NDArray[np.int32] | None
    top_k: int
    segment_ids: NDArray[np.int32] | None = None
    question: Question | None = None

    @property
    def predictions(self) -> int:
        """How many predictions a mask come back."""
        match self.question:
            case Ranked(target_ids):
                return len(target_ids)
            case Filtered(top_k):
                return top_k
            case Sparse():
                return 0
        return self.top_k if self.target_ids is None else min(self.top_k, len(self.target_ids))
