"""Collating: what is laid end to end can be found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fakes import make_tokenizer
from model_store.engines.batches.batch import (
    Scores,
    collate,
    join_scores,
    require_shape,
    split_scores,
)
from model_store.engines.batches.mask_queries import Queries
from model_store.engines.batches.row_packing import lay_out
from model_store.engines.batches.shape_buckets import OpenShapes, ShapeBuckets, Shapes
from model_store.text.encoding import Encoding
from model_store.text.word_filter import WordFilter

MAX_LENGTH = 100

WORDS = WordFilter(make_tokenizer(), 1000)
"""Nobody asks for it here."""

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
        segment_ids=draw(st.none() | arrays(np.int32, len(token_ids), elements=st.integers(0, 1))),
    )


texts_of_a_batch = st.lists(encodings(), min_size=1, max_size=30)


def list_masked(texts: list[Encoding]) -> list[tuple[int, list[list[int]]]]:
    """Return each mask of each text, in order: its own token, and its text, with segments."""
    masked = []
    for text in texts:
        segments = np.zeros_like(text.token_ids) if text.segment_ids is None else text.segment_ids
        seen = [text.token_ids.tolist(), segments.tolist()]
        masked += [(int(text.token_ids[position]), seen) for position in text.mask_positions]
    return masked


@given(texts_of_a_batch, SHAPES)
def test_every_query_finds_its_mask_and_sees_its_own_text_only(
    texts: list[Encoding], shapes: Shapes
) -> None:
    """What attends to a mask is its text, whole, in order, with positions from 0."""
    batch = collate(texts, shapes)
    found = {}
    for queries in batch.queries:
        at_a_time = queries.positions.shape[1]
        for mask, slot in zip(queries.masks, queries.slots[: len(queries.masks)], strict=True):
            row, query = divmod(int(slot), at_a_time)
            place = row, queries.positions[row, query]
            is_seen = batch.text_numbers[row] == batch.text_numbers[place]
            seen = [array[row][is_seen].tolist() for array in (batch.token_ids, batch.segment_ids)]
            assert batch.positions[row][is_seen].tolist() == list(range(len(seen[0])))
            found[int(mask)] = (int(batch.token_ids[place]), seen)
    assert [found[mask] for mask in sorted(found)] == list_masked(texts)
    assert batch.masks == len(found)


@given(texts_of_a_batch, SHAPES)
def test_rows_hold_every_text_once_and_padding(texts: list[Encoding], shapes: Shapes) -> None:
    """Real tokens are those of the texts, and what is computed has a shape that is compiled."""
    batch = collate(texts, shapes)
    tokens = sum(len(text.token_ids) for text in texts)
    assert int((batch.text_numbers > 0).sum()) == tokens
    rows, width = batch.token_ids.shape
    assert rows == shapes.rows(rows)
    assert width in shapes.widths(max(len(text.token_ids) for text in texts))
    assert batch.computed_tokens == rows * width >= tokens


@given(texts_of_a_batch, SHAPES)
def test_answers_come_back_by_text_and_mask(texts: list[Encoding], shapes: Shapes) -> None:
    """Whatever the parts that an engine computes, cut to what was asked, targets sorted."""
    batch = collate(texts, shapes)
    scores = join_scores(batch, [answer_by_mask(queries) for queries in batch.queries])
    require_shape(scores, batch, 9)
    mask = 0
    for text, answers in zip(texts, split_scores(texts, scores, WORDS), strict=True):
        assert len(answers) == len(text.mask_positions)
        for answer in answers:
            if text.target_ids is None:
                assert answer.token_ids.tolist() == [mask] * text.top_k
            else:
                assert answer.token_ids.tolist() == sorted(text.target_ids)[: text.top_k]
            mask += 1


def answer_by_mask(queries: Queries) -> Scores:
    """Answer every mask with its own number, and every target with less the larger it is."""
    masks = np.zeros(len(queries.slots), np.int32)
    masks[: len(queries.masks)] = queries.masks
    token_ids = np.tile(masks[:, None], 9)
    return Scores(token_ids, token_ids.astype(np.float32), -queries.target_ids.astype(np.float32))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60), SHAPES)
def test_layout_holds_every_text_once(lengths: list[int], shapes: Shapes) -> None:
    """No row is longer than its width, and nothing is lost or doubled."""
    layout = lay_out(lengths, shapes)
    assert sorted(text for row in layout.rows for text in row) == list(range(len(lengths)))
    assert all(sum(lengths[text] for text in row) <= layout.width for row in layout.rows)


def test_a_text_alone_is_not_padded_to_a_wide_row() -> None:
    """Nor are texts that fill one better."""
    assert lay_out([15], OpenShapes()).width == 16
    assert lay_out([40, 7, 8, 9], OpenShapes()).rows == [[0, 3, 2, 1]]


@given(st.integers(1, 3000), SHAPES)
def test_shapes_hold_what_they_are_for(value: int, shapes: Shapes) -> None:
    """Every size is large enough, and one that was rounded up stays as it is."""
    assert value <= shapes.rows(value) < 2 * value + 1
    assert shapes.rows(shapes.rows(value)) == shapes.rows(value)
    assert all(width >= value for width in shapes.widths(value))
    assert shapes.predictions(value) >= value
    assert shapes.targets(value) >= value
    assert shapes.targets(0) == 0


@given(st.lists(st.integers(1, 500), min_size=1, max_size=64), st.sampled_from([64, 100, 512]))
def test_every_batch_within_the_limits_has_a_compiled_shape(
    lengths: list[int], max_length: int
) -> None:
    """What is compiled before the first request is all that requests can ask for."""
    shapes = ShapeBuckets()
    batch = [min(lengths[0], max_length)]
    for length in lengths[1:]:
        if sum(batch) + min(length, max_length) <= 1024:
            batch.append(min(length, max_length))
    layout = lay_out(batch, shapes)
    compiled = set(shapes.list_compiled(64, 1024, max_length))
    assert (len(layout.rows), layout.width) in compiled


def test_compiled_shapes_are_few() -> None:
    """They are compiled one by one before a server is ready."""
    assert len(set(ShapeBuckets().list_compiled(256, 1024, 512))) < 50
    assert len(set(ShapeBuckets().list_compiled(256, 16_384, 512))) < 100
    assert not list(OpenShapes().list_compiled(256, 16_384, 512))


@pytest.mark.parametrize(("shapes", "share"), [(OpenShapes(), 0.08), (ShapeBuckets(), 0.12)])
def test_padding_of_mixed_lengths_is_small(shapes: Shapes, share: float) -> None:
    """Lengths as users' texts have them, in the order of their arrival."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(3.0, 0.5, 10_000).astype(int), 5, 512).tolist()
    real = computed = 0
    for start in range(0, len(lengths), 32):
        layout = lay_out(lengths[start : start + 32], shapes)
        real += sum(lengths[start : start + 32])
        computed += len(layout.rows) * layout.width
    assert 1 - real / computed < share
