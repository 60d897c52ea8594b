"""A text whose own tokens are looked at, one by one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its tokens, those included that the tokenizer puts around it.

    Attributes:
        text: the caller's own.
        token_ids: `[tokens]` int32.
        spans: where each token starts and ends in `text`, in characters.
        words: `[tokens]` int32: the number of the word that a token is a piece of, as the
            tokenizer counts them, and -1 at those that are put around the text.
        is_special: `[tokens]` bool: those that are put around the text, and what is written in it
            as a special token that stands for no word: `[CLS]`, `[SEP]` and `[PAD]`.
    """

    text: str
    token_ids: NDArray[np.int32]
    spans: tuple[tuple[int, int], ...]
    words: NDArray[np.int32]
    is_special: NDArray[np.bool_]
