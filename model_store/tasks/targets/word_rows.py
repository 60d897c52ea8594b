"""Words of several pieces, scored left to right in the place of one mask.

A word of n pieces takes n masks. The log-probability of a piece is the one that it has where the
pieces before it are filled in and itself and those after it are masked. One row scores every piece
that follows the same pieces in words of the same length.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

Word: TypeAlias = tuple[int, ...]
"""The ids of the pieces of a word."""

_Place: TypeAlias = tuple[int, int, Word]
"""Which mask, how many pieces its word has, and those of them that are filled in."""


class WordRows:
    """The rows that score words at the masks of one text."""

    def __init__(self, encoding: Encoding, words: Sequence[Iterable[Word]], most: int) -> None:
        """Find the rows of words of several pieces, or one more than may be, and no further.

        Args:
            encoding: the text.
            words: one list a mask.
            most: how many rows may be. A few long words can ask for millions.
        """
        self._encoding = encoding
        self._words = words
        self._pieces: dict[_Place, dict[int, None]] = {}
        for mask, of_mask in enumerate(words):
            for word in of_mask:
                for place, piece in _walk(mask, word):
                    self._pieces.setdefault(place, {})[piece] = None
                    if len(self._pieces) > most:
                        return

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._pieces)

    def encode(self, mask_token_id: int) -> list[Encoding]:
        """Return the rows."""
        return [
            self._fill(place, list(pieces), mask_token_id) for place, pieces in self._pieces.items()
        ]

    def read(self, results: Iterable[Sequence[MaskScores]]) -> list[dict[Word, tuple[float, ...]]]:
        """Return the log-probability of each piece of each word, in nats, one dict a mask.

        Args:
            results: those of the rows, in their order.
        """
        scores = {
            place: _to_dict(scores) for place, (scores,) in zip(self._pieces, results, strict=True)
        }
        return [
            {
                word: tuple(scores[place][piece] for place, piece in _walk(mask, word))
                for word in of_mask
            }
            for mask, of_mask in enumerate(self._words)
        ]

    def _fill(self, place: _Place, pieces: list[int], mask_token_id: int) -> Encoding:
        mask, length, filled = place
        position = int(self._encoding.mask_positions[mask])
        word = [*filled, *[mask_token_id] * (length - len(filled))]
        segment_ids = self._encoding.segment_ids
        return replace(
            self._encoding,
            token_ids=_widen(self._encoding.token_ids, position, word),
            mask_positions=np.array([position + len(filled)]),
            mask_spans=(self._encoding.mask_spans[mask],),
            target_ids=np.asarray(pieces, np.int32),
            top_k=len(pieces),
            segment_ids=(
                None
                if segment_ids is None
                else _widen(segment_ids, position, [int(segment_ids[position])] * length)
            ),
        )


def _walk(mask: int, word: Word) -> Iterator[tuple[_Place, int]]:
    """Yield each piece of a word, and where it is scored."""
    for index, piece in enumerate(word):
        yield (mask, len(word), word[:index]), piece


def _widen(array: NDArray[np.int32], position: int, values: list[int]) -> NDArray[np.int32]:
    """Return an array with several values in the place of one."""
    middle = np.asarray(values, np.int32)
    return np.concatenate([array[:position], middle, array[position + 1 :]])


def _to_dict(scores: MaskScores) -> dict[int, float]:
    pairs = zip(scores.token_ids.tolist(), scores.log_probabilities.tolist(), strict=True)
    return dict(pairs)
