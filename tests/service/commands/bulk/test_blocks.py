"""Numbered blocks: every row in one, whatever is done already."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeStore
from service.commands.bulk import blocks
from service.commands.bulk.blocks import Block, cut_into_blocks
from service.commands.bulk.question import Question, prepare
from service.settings import Settings

BLOCK_BYTES = 9
LENGTHS = st.lists(st.integers(0, 2 * BLOCK_BYTES), max_size=20)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Have blocks of few rows, and of few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_ROWS", 4)
        patch.setattr(blocks, "BLOCK_BYTES", BLOCK_BYTES)
        yield


@given(LENGTHS, st.integers(0, 25))
def test_every_row_that_is_left_is_in_one_block(lengths: list[int], done: int) -> None:
    """In order; where a block ends, it ends whatever is done."""
    contents = [None if length == 1 else b"x" * length for length in lengths]
    cut = list(cut_into_blocks(contents, done))
    assert [content for block in cut for content in block.contents] == contents[done:]
    ends = [block.first + len(block.contents) for block in cut]
    assert [block.first for block in cut] == [done, *ends[:-1]][: len(cut)]
    whole = [block.first + len(block.contents) for block in cut_into_blocks(contents)]
    assert ends == [end for end in whole if end > done]


@given(LENGTHS)
def test_block_is_small(lengths: list[int]) -> None:
    """In rows, and in bytes but for its last row."""
    for block in cut_into_blocks([b"x" * length for length in lengths]):
        assert len(block.contents) <= 4
        assert sum(len(content or b"") for content in block.contents[:-1]) < BLOCK_BYTES


def test_no_batch_has_rows_of_two_blocks(store: FakeStore) -> None:
    """Or an answer would depend on where its block is answered."""
    run = prepare(Question("tiny", "text", None, Settings(max_batch_size=3)))
    cut = [Block(0, [b"[MASK]"] * 4), Block(4, [b"[MASK]"] * 4), Block(8, [b"[MASK]"])]
    assert [len(batch) for block in cut for batch in run.gather(block)] == [3, 1, 3, 1, 1]
    assert store.loads == ["tiny"]
