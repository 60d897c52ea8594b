"""A fixed sample of masked texts, in every language that a model reads: what precisions answer."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_store.loading.proving.head_proof import can_read, list_for
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
    for text in list_for(codec, texts).values():
        token_ids, own = codec.tokenize_apart(text)
        if can_read(codec, token_ids, own):
            encodings.extend(_mask_windows(codec, token_ids, own))
    step = -(-len(encodings) // _MOST_MASKS) or 1
    return encodings[::step]


def _mask_windows(codec: TextCodec, token_ids: NDArray[np.int32], own: range) -> list[Encoding]:
    first, last = token_ids[: own.start], token_ids[own.stop :]
    words = token_ids[own.start : own.stop]
    room = codec.max_sequence_length - len(first) - len(last)
    encodings = []
    for width in (min(width, room) for width in _WINDOWS):
        for start in range(max(1, len(words) - width + 1)):
            window = np.concatenate([first, words[start : start + width], last])
            # A different place in every window, never a special token.
            position = len(first) + start % len(words[start : start + width])
            masked = window.copy()
            masked[position] = codec.mask_token_id
            encodings.append(Encoding("", masked, np.array([position]), ((0, 0),), None, _TOP_K))
    return encodings
