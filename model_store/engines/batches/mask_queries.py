"""What the last layer is asked for: the masks of a batch, row by row.

Keys and values stand once a row, however many of its tokens are masks. So the masks of a row are
its queries, and rows have equally many of them, padding counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.engines.batches.shape_buckets import Shapes

Ints: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Queries:
    """Masks that the last layer computes at a time.

    Attributes:
        masks: `[real masks]`, their indices among all masks of the batch.
        positions: `[rows, queries]` int32, where in its row each is; padded with 0.
        slots: `[masks]` int32, each `row * queries + query`; padded with 0.
        target_ids: `[masks, targets]` int32, padded with 0; `targets` is 0 where nobody asked.
    """

    masks: NDArray[np.intp]
    positions: Ints
    slots: Ints
    target_ids: Ints


def cut_queries(
    places: NDArray[np.int64], target_ids: Ints, shape: tuple[int, ...], shapes: Shapes
) -> Iterator[Queries]:
    """Yield the masks at some places of all rows, as many of a row at a time as an engine takes."""
    rows, width = shape
    row, position = np.divmod(places, width)
    # The how-manieth mask of its row each is.
    order = np.argsort(row, kind="stable")
    first = np.searchsorted(row[order], np.arange(rows))
    rank = np.empty_like(row)
    rank[order] = np.arange(len(row)) - first[row[order]]
    at_a_time = shapes.queries(int(rank.max()) + 1, width)
    for start in range(0, int(rank.max()) + 1, at_a_time):
        (masks,) = np.nonzero((rank >= start) & (rank < start + at_a_time))
        query = rank[masks] - start
        padded = shapes.masks(len(masks), rows * at_a_time)
        part = Queries(
            masks,
            positions=np.zeros((rows, at_a_time), np.int32),
            slots=np.zeros(padded, np.int32),
            target_ids=np.zeros((padded, target_ids.shape[1]), np.int32),
        )
        part.positions[row[masks], query] = position[masks]
        part.slots[: len(masks)] = row[masks] * at_a_time + query
        part.target_ids[: len(masks)] = target_ids[masks]
        yield part
