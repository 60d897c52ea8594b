"""One text as the model reads it."""

from dataclasses import dataclass, replace
from typing import Self

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
        text: the caller's own; of a pair, the first one.
        token_ids: `[tokens]` int32, special tokens included.
        mask_positions: `[masks]`, indices in `token_ids`, ascending: the positions to score, which
            need not hold masks.
        mask_spans: where each mask starts and ends in the text that it lies in, in characters.
        target_ids: `[targets]` int32, the entries to score, or None for the likeliest ones.
        top_k: how many predictions a mask to return, at least 1.
        segment_ids: `[tokens]` int32, which segment each token is of, or None where all are of
            segment 0.
        question: what is asked that needs the whole vocabulary, in place of `target_ids` and
            `top_k`, or None.
        text_pair: the second text of a pair, or None.
        mask_texts: of a pair, which text each mask lies in: 0 for the first, 1 for the second.
    """

    text: str
    token_ids: NDArray[np.int32]
    mask_positions: NDArray[np.int64]
    mask_spans: tuple[tuple[int, int], ...]
    target_ids: NDArray[np.int32] | None
    top_k: int
    segment_ids: NDArray[np.int32] | None = None
    question: Question | None = None
    text_pair: str | None = None
    mask_texts: tuple[int, ...] = ()

    def text_of(self, mask: int) -> str:
        """Return the text that a mask lies in."""
        if self.text_pair is None or self.mask_texts[mask] == 0:
            return self.text
        return self.text_pair

    def trim(self) -> Self:
        """Return the same with no white space at the ends of where masks lie."""
        spans = enumerate(self.mask_spans)
        trimmed = (_trim_span(self.text_of(mask), *span) for mask, span in spans)
        return replace(self, mask_spans=tuple(trimmed))

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


def _trim_span(text: str, start: int, end: int) -> tuple[int, int]:
    marked = text[start:end]
    start += len(marked) - len(marked.lstrip())
    return start, start + len(marked.strip())
