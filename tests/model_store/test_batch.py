"""Collating: what is laid side by side can be found again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_store.batch import Scores, collate, split_scores
from model_store.encoding import Encoding
from model_store.shape_buckets import OpenShapes, ShapeBuckets, Shapes

MAX_LENGTH = 100

SHAPES = st.sampled_from([OpenShapes(), ShapeBuckets()])


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


@given(st.lists(encodings(), min_size=1, max_size=9), SHAPES)
def test_every_mask_of_a_batch_points_at_its_own_token(
    texts: list[Encoding], shapes: Shapes
) -> None:
    """Flat positions find the tokens that the encodings had there, in order."""
    batch = collate(texts, shapes, MAX_LENGTH)
    masked = [token for text in texts for token in text.token_ids[text.mask_positions]]
    found = batch.token_ids.reshape(-1)[batch.mask_positions[: len(masked)]]
    assert found.tolist() == masked


@given(st.lists(encodings(), min_size=1, max_size=9), SHAPES)
def test_no_row_attends_to_nothing(texts: list[Encoding], shapes: Shapes) -> None:
    """The padding mask is each text's length, and one in rows of padding."""
    batch = collate(texts, shapes, MAX_LENGTH)
    lengths = [len(text.token_ids) for text in texts]
    padding = [1] * (len(batch.padding_mask) - len(texts))
    assert batch.padding_mask.sum(axis=1).tolist() == lengths + padding


@given(st.lists(encodings(), min_size=1, max_size=9), SHAPES)
def test_split_scores_gives_every_mask_its_own(texts: list[Encoding], shapes: Shapes) -> None:
    """Scores come back by text and mask, cut to what was asked, targets sorted."""
    batch = collate(texts, shapes, MAX_LENGTH)
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
    assert targets == shapes.targets(
        max((len(t.target_ids) for t in texts if t.target_ids is not None), default=0)
    )


@given(st.integers(1, 3000), SHAPES)
def test_shapes_hold_what_they_are_for(value: int, shapes: Shapes) -> None:
    """Every size is large enough, and one that was rounded up stays as it is."""
    assert value <= shapes.rows(value) < 4 * value
    assert value <= shapes.length(value)
    assert shapes.length(shapes.length(value)) == shapes.length(value)
    assert shapes.predictions(value) >= value
    assert shapes.targets(value) >= value
    assert shapes.targets(0) == 0


@given(st.integers(1, 300), st.integers(1, 64), st.sampled_from([64, 100, 512]))
def test_every_batch_within_the_limits_has_a_compiled_shape(
    length: int, rows: int, max_length: int
) -> None:
    """What is compiled before the first request is all that requests can ask for."""
    shapes = ShapeBuckets()
    padded = min(shapes.length(min(length, max_length)), max_length)
    compiled = set(shapes.list_compiled(64, 2048, max_length))
    if rows == 1 or shapes.rows(rows) * padded <= 2048:
        assert (shapes.rows(rows), padded) in compiled


def test_compiled_shapes_are_few() -> None:
    """They are compiled one by one before a server is ready."""
    assert len(set(ShapeBuckets().list_compiled(256, 16_384, 512))) < 100
    assert not list(OpenShapes().list_compiled(256, 16_384, 512))


def test_padding_of_mixed_lengths_is_small() -> None:
    """Lengths as users' texts have them, sorted into batches: under 15 % of it is padding."""
    rng = np.random.default_rng(0)
    lengths = np.sort(np.clip(rng.lognormal(3.0, 0.5, 10_000).astype(int), 5, 512))
    for shapes in (OpenShapes(), ShapeBuckets()):
        real = padded = 0
        for start in range(0, len(lengths), 16):
            batch = lengths[start : start + 16]
            real += int(batch.sum())
            padded += shapes.rows(len(batch)) * shapes.length(int(batch.max()))
        assert real / padded > 0.85, shapes
