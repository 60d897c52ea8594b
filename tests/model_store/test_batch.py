"""Collating: what is laid side by side can be found again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_store.batch import Scores, collate, split_scores
from model_store.encoding import Encoding
from model_store.shape_buckets import (
    bucket_length,
    bucket_masks,
    bucket_predictions,
    bucket_rows,
    bucket_targets,
)

MAX_LENGTH = 100


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    """Draw an encoding of up to a hundred tokens."""
    token_ids = draw(st.lists(st.integers(1, 999), min_size=3, max_size=MAX_LENGTH))
    masks = draw(st.sets(st.integers(0, len(token_ids) - 1), min_size=1, max_size=5))
    targets = draw(st.none() | st.lists(st.integers(1, 999), min_size=1, max_size=20, unique=True))
    return Encoding(
        text="",
        token_ids=np.array(token_ids, np.int32),
        mask_positions=np.array(sorted(masks)),
        mask_spans=(),
        target_ids=None if targets is None else np.array(targets, np.int32),
        top_k=draw(st.integers(1, 9)),
    )


@given(st.lists(encodings(), min_size=1, max_size=9))
def test_every_mask_of_a_batch_points_at_its_own_token(texts: list[Encoding]) -> None:
    """Flat positions find the tokens that the encodings had there, in order."""
    batch = collate(texts, MAX_LENGTH)
    masked = [token for text in texts for token in text.token_ids[text.mask_positions]]
    found = batch.token_ids.reshape(-1)[batch.mask_positions[: len(masked)]]
    assert found.tolist() == masked


@given(st.lists(encodings(), min_size=1, max_size=9))
def test_no_row_attends_to_nothing(texts: list[Encoding]) -> None:
    """The padding mask is each text's length, and one in rows of padding."""
    batch = collate(texts, MAX_LENGTH)
    lengths = [len(text.token_ids) for text in texts]
    padding = [1] * (len(batch.padding_mask) - len(texts))
    assert batch.padding_mask.sum(axis=1).tolist() == lengths + padding


@given(st.lists(encodings(), min_size=1, max_size=9))
def test_split_scores_gives_every_mask_its_own(texts: list[Encoding]) -> None:
    """Scores come back by text and mask, cut to what was asked, targets sorted."""
    batch = collate(texts, MAX_LENGTH)
    masks, targets = batch.target_ids.shape
    rows = np.arange(masks, dtype=np.float32)
    by_target = -batch.target_ids.astype(np.float32)
    scores = Scores(
        np.tile(np.arange(masks, dtype=np.int32)[:, None], 9), np.tile(rows[:, None], 9), by_target
    )
    mask = 0
    for text, answers in zip(texts, split_scores(texts, scores), strict=True):
        assert len(answers) == len(text.mask_positions)
        for answer in answers:
            if text.target_ids is None:
                assert answer.token_ids.tolist() == [mask] * text.top_k
            else:
                assert answer.token_ids.tolist() == sorted(text.target_ids)[: text.top_k]
            mask += 1
    assert targets in {0, 16, 64}


@given(st.integers(1, 10_000), st.integers(1, 512))
def test_buckets_hold_what_they_are_for_and_are_few(value: int, limit: int) -> None:
    """Every bucket is large enough, less than four times too large, and fixed by itself."""
    assert value <= bucket_rows(value) < 2 * value
    assert bucket_rows(bucket_rows(value)) == bucket_rows(value)
    assert bucket_masks(value, 1) == bucket_rows(value)
    assert bucket_length(min(value, limit), limit) >= min(value, limit)
    assert bucket_length(value, limit) <= limit
    assert bucket_predictions(value, 30_522) >= min(value, 30_522)
    assert bucket_targets(value) >= value
    assert bucket_targets(0) == 0
