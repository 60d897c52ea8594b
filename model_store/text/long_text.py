"""A text that is read whole, and the parts of it that a model is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model_store.text.encoding import Encoding


@dataclass(frozen=True, slots=True)
class LongText:
    """A text with masks, however long it is.

    Attributes:
        encoding: all of it.
        spans: `[tokens, 2]` int64, where each token starts and ends in the text, in characters.
        own: the indices of the tokens that are the text's; others are put around every text.
    """

    encoding: Encoding
    spans: NDArray[np.int64]
    own: range

    def count_room(self, max_sequence_length: int) -> int:
        """Return how many of its own tokens a model has room for."""
        return max_sequence_length - (len(self.encoding.token_ids) - len(self.own))

    def cut(self, window: range, masks: Sequence[int]) -> Encoding:
        """Return a part of the text as a model reads it, with what is put around every text.

        Args:
            window: the part, indices of its own tokens.
            masks: the ones that are asked for, by their indices; others may be in the part too.
        """
        whole, own = self.encoding, self.own
        pieces = (
            whole.token_ids[: own.start],
            whole.token_ids[window.start : window.stop],
            whole.token_ids[own.stop :],
        )
        return replace(
            whole,
            token_ids=np.concatenate(pieces),
            mask_positions=whole.mask_positions[list(masks)] - (window.start - own.start),
            mask_spans=tuple(whole.mask_spans[mask] for mask in masks),
        )

    def show(self, window: range) -> tuple[int, int]:
        """Return where a part starts and ends in the text, in characters."""
        start, stop = 0, len(self.encoding.text)
        if window.start > self.own.start:
            start = int(self.spans[window.start, 0])
        if window.stop < self.own.stop:
            stop = int(self.spans[window.stop - 1, 1])
        return start, stop
