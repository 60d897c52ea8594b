"""Laying segments of tokens between `[CLS]` and `[SEP]` in rows of one length."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Segments = Sequence[Sequence[int]]
"""The token ids of each segment of one row."""


def pack_segments(
    rows: Sequence[Segments],
    sequence_length: int,
    *,
    truncate: str,
    cls_token_id: int,
    sep_token_id: int,
    pad_token_id: int,
    separators: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pack `[CLS] a [SEP] b [SEP]`, cut to fit.

    Args:
        rows: the segments of each row.
        sequence_length: the length of every packed row.
        truncate: `round_robin` gives the segments room in turn, `waterfall` from left to right.
        cls_token_id: the id that starts a row.
        sep_token_id: the id that ends a segment.
        pad_token_id: the id that fills a row up.
        separators: how many `[SEP]` stand between two segments.

    Returns:
        Token ids and segment ids (0, 1, ...; 0 at padding), `[rows, sequence_length]` int32.
    """
    share = TRUNCATIONS[truncate]
    token_ids = np.full((len(rows), sequence_length), pad_token_id, np.int32)
    segment_ids = np.zeros((len(rows), sequence_length), np.int32)
    for row, segments in enumerate(rows):
        room = sequence_length - 2 - separators * (len(segments) - 1)
        token_ids[row, 0] = cls_token_id
        start = 1
        for index, kept in enumerate(share([len(segment) for segment in segments], room)):
            end = start + kept
            token_ids[row, start:end] = segments[index][:kept]
            after = end + (separators if index < len(segments) - 1 else 1)
            token_ids[row, end:after] = sep_token_id
            segment_ids[row, start:after] = index
            start = after
    return token_ids, segment_ids


def _share_round_robin(lengths: Sequence[int], room: int) -> list[int]:
    """Return how much of each segment is kept where they take one token each in turn."""
    shares = [0] * len(lengths)
    while room > 0:
        hungry = [index for index, length in enumerate(lengths) if shares[index] < length]
        if not hungry:
            break
        # As many whole rounds at once as nobody is full after; the last round may be a part.
        rounds = min(room // len(hungry), *(lengths[i] - shares[i] for i in hungry))
        served = hungry if rounds else hungry[:room]
        for index in served:
            shares[index] += rounds or 1
        room -= (rounds or 1) * len(served)
    return shares


def _share_waterfall(lengths: Sequence[int], room: int) -> list[int]:
    """Return how much of each segment is kept where the first takes what it needs, and so on."""
    shares = []
    for length in lengths:
        shares.append(min(length, room))
        room -= shares[-1]
    return shares


TRUNCATIONS: dict[str, Callable[[Sequence[int], int], list[int]]] = {
    "round_robin": _share_round_robin,
    "waterfall": _share_waterfall,
}
"""By KerasHub's names."""
