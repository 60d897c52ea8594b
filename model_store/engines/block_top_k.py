"""Exact top-k of arrays that come with the maxima of their blocks, without sorting the rest."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

BLOCK = 128
"""How many neighbours in the vocabulary share one maximum, in every graph."""

Floats: TypeAlias = NDArray[np.float32]


def block_top_k(values: Floats, maxima: Floats, k: int, block: int) -> NDArray[np.int64]:
    """Return the columns of the k largest values of each row, the largest first.

    The k largest stand in the k blocks with the largest maxima. Of equal values the first wins,
    except where some of them are cut off.

    Args:
        values: `[rows, columns]`.
        maxima: `[rows, blocks]`, of each `block` neighbouring columns.
        k: at most `columns`.
        block: how many columns share a maximum.

    Returns:
        `[rows, k]`.
    """
    # By hand, for `take_along_axis` takes longer than all the rest of a few rows.
    rows = np.arange(len(values))[:, None]
    blocks = np.sort(_find_largest(maxima, min(k, maxima.shape[1])), axis=1)
    columns = (blocks[:, :, None] * block + np.arange(block)).reshape(len(values), -1)
    inside = columns < values.shape[1]
    columns = np.where(inside, columns, 0)
    found = np.where(inside, values[rows, columns], -np.inf)
    largest = np.sort(_find_largest(found, k), axis=1)
    order = np.argsort(-found[rows, largest], axis=1, kind="stable")
    return columns[rows, largest[rows, order]]


def _find_largest(values: Any, k: int) -> NDArray[np.int64]:
    """Return where the k largest of each row are, in no order."""
    return np.argpartition(-values, k - 1, axis=1)[:, :k]
