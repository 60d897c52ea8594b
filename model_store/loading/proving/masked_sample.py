"""A fixed sample of masked texts, in every language that a model reads: what precisions answer."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_store.loading.proving.head_proof import can_read
from model_store.text.encoding import Encoding
from model_store.text.text_codec import TextCodec

_WINDOWS = (8, 16, 24)
_MOST_MASKS = 512
_TOP_K = 16


def make_sample(codec: TextCodec, texts: Mapping[str, str]) -> list[Encoding]:
    """Return texts with one mask each: windows of some texts, every token masked once.

    Returns:
        At most 512, spread over all texts that the model's vocabulary can write; none where it
        can write none.
    """
    encodings: list[Encoding] = []
    for text in texts.values():
        token_ids = codec.tokenize(text)
        if can_read(codec, token_ids):
            encodings.extend(_mask_windows(codec, token_ids))
    step = -(-len(encodings) // _MOST_MASKS) or 1
    return encodings[::step]


def _mask_windows(codec: TextCodec, token_ids: NDArray[np.int32]) -> list[Encoding]:
    first, words, last = token_ids[:1], token_ids[1:-1], token_ids[-1:]
    encodings = []
    for width in (min(width, codec.max_sequence_length - 2) for width in _WINDOWS):
        for start in range(max(1, len(words) - width + 1)):
            window = np.concatenate([first, words[start : start + width], last])
            # A different place in every window, never a special token.
            position = 1 + start % (len(window) - 2)
            masked = window.copy()
            masked[position] = codec.mask_token_id
            encodings.append(Encoding("", masked, np.array([position]), ((0, 0),), None, _TOP_K))
    return encodings
