"""Texts become batches of few shapes, and the stream goes on where it was saved."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.fetching.resolver import resolve
from model_store.masked_lm.training.feed.batch_stream import BatchStream
from model_store.masked_lm.training.feed.examples import make_rows, split_sentences
from model_store.masked_lm.training.options import TrainingOptions


@pytest.fixture
def tokenizer(make_options: Callable[..., TrainingOptions]) -> SubwordTokenizer:
    """That of the small model."""
    return read_checkpoint(resolve(make_options().init)).tokenizer


def test_sentences_are_split_at_full_stops_before_capitals() -> None:
    """Nothing but the space between them is lost."""
    text = 'He came. "Who is it?" she said, e.g. loudly. 北京 is big! A'
    assert split_sentences(text) == [
        "He came.",
        '"Who is it?" she said, e.g. loudly.',
        "北京 is big!",
        "A",
    ]


@pytest.mark.parametrize("short_share", [0.0, 0.5, 1.0])
def test_rows_hold_every_token(short_share: float, tokenizer: SubwordTokenizer) -> None:
    """Cut short or packed, no token is lost; none but a few at the end of a run."""
    document = ["The cat went to the river. The dog saw the man."] * 40
    rng = np.random.default_rng(0)
    rows = list(
        make_rows(document, tokenizer, sequence_length=32, short_share=short_share, rng=rng)
    )
    tokens = sum(len(row) - 2 for row in rows)
    total = sum(len(ids) for ids in tokenizer.encode_batch(document))
    assert total - 2 <= tokens <= total
    assert max(len(row) for row in rows) <= 32
    if short_share == 0:
        assert all(len(row) == 32 for row in rows[:-1])
    if short_share == 1:
        assert np.mean([len(row) for row in rows]) < 16


def test_batches_have_few_shapes(
    make_options: Callable[..., TrainingOptions], tokenizer: SubwordTokenizer
) -> None:
    """Two lengths, each with rows for 128 tokens."""
    stream = BatchStream(make_options(), tokenizer)
    shapes = {stream.next_batch()[0]["token_ids"].shape for _ in range(60)}
    assert shapes == {(8, 16), (4, 32)}


def test_every_row_has_its_masks(
    make_options: Callable[..., TrainingOptions], tokenizer: SubwordTokenizer
) -> None:
    """The share of masks is what was asked for, and no row has none."""
    stream = BatchStream(make_options(batch_tokens=1024), tokenizer)
    batches = [stream.next_batch() for _ in range(60)]
    for features, _, weights in batches:
        words = features["padding_mask"].sum(axis=1) - 2
        assert np.array_equal(weights.sum(axis=1), np.maximum(1, np.rint(words * 0.15)))


def test_two_streams_of_one_seed_are_equal(
    make_options: Callable[..., TrainingOptions], tokenizer: SubwordTokenizer
) -> None:
    """And another seed gives another order."""
    options = make_options()
    first, second, other = (
        BatchStream(each, tokenizer).next_batch()[0]["token_ids"]
        for each in (options, options, replace(options, seed=1))
    )
    assert np.array_equal(first, second)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_saved_stream_goes_on(
    count: int, make_options: Callable[..., TrainingOptions], tokenizer: SubwordTokenizer
) -> None:
    """Order, masks, and rows that wait for others of their length are all in the state."""
    first, second = (BatchStream(make_options(), tokenizer) for _ in range(2))
    for _ in range(count):
        first.next_batch()
    second.restore(first.state())
    for _ in range(60):
        for mine, theirs in zip(first.next_batch()[1:], second.next_batch()[1:], strict=True):
            assert np.array_equal(mine, theirs)


def test_files_without_words_are_refused(
    make_options: Callable[..., TrainingOptions], tokenizer: SubwordTokenizer
) -> None:
    """A file of single letters would be read for ever."""
    options = make_options()
    path = options.out.parent / "letters.txt"
    path.write_text("a\n\nb\n", "utf-8")
    with pytest.raises(ValueError, match="hold no words"):
        BatchStream(replace(options, texts=(path,)), tokenizer).next_batch()
