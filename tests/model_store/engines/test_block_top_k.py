"""Two stages find what sorting everything finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_store.engines.block_top_k import block_top_k

BLOCK = 4


@given(
    columns=st.integers(1, 40),
    rows=st.integers(1, 3),
    k=st.integers(1, 40),
    levels=st.integers(1, 50),
    seed=st.integers(0, 10_000),
)
def test_two_stages_find_the_largest_in_order(
    columns: int, rows: int, k: int, levels: int, seed: int
) -> None:
    """Whatever the size, with few levels that many values share too: the same values, in order."""
    k = min(k, columns)
    values = np.random.default_rng(seed).integers(levels, size=(rows, columns)).astype(np.float32)
    padded = np.pad(values, ((0, 0), (0, -columns % BLOCK)), constant_values=-1e30)
    maxima = padded.reshape(rows, -1, BLOCK).max(axis=-1)
    found = block_top_k(values, maxima, k, BLOCK)
    assert all(len(set(row)) == k for row in found.tolist())
    largest = -np.sort(-values, axis=1)[:, :k]
    assert np.take_along_axis(values, found, axis=1).tolist() == largest.tolist()
