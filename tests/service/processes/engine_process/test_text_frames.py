"""What crosses of texts: the engine reads what was encoded, and its answers are not rounded."""

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores, SparseVector
from model_store.text.questions import Filtered, Ranked, Sparse
from service.processes.engine_process.text_frames import Mask, Text

SIZES = st.integers(0, 30)
IDS = SIZES.flatmap(lambda size: arrays(np.int32, size))
FLOATS = SIZES.flatmap(lambda size: arrays(np.float32, size))
PROBABILITIES = st.floats(0, 1)


@st.composite
def questions(draw: st.DrawFn, positions: int) -> Any:
    """Draw what may be asked of so many positions."""
    each = arrays(np.float32, (positions, draw(SIZES)))
    flags = st.booleans()
    return draw(
        st.one_of(
            st.none(),
            st.builds(Ranked, IDS, each),
            st.builds(Filtered, st.integers(1, 99), flags, flags, IDS, PROBABILITIES),
            st.builds(Sparse, st.none() | st.integers(1, 99)),
        )
    )


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    """Draw a text that asks for anything."""
    masks = draw(arrays(np.int64, st.integers(1, 4), elements=st.integers(0, 99)))
    return Encoding(
        text="text",
        token_ids=draw(IDS),
        mask_positions=masks,
        mask_spans=((0, 1),),
        target_ids=draw(st.none() | IDS),
        top_k=draw(st.integers(1, 100)),
        segment_ids=draw(st.none() | IDS),
        question=draw(questions(len(masks))),
    )


VECTORS = st.none() | st.builds(SparseVector, IDS, FLOATS)
SCORES = st.builds(MaskScores, IDS, FLOATS) | st.one_of(
    st.builds(MaskScores, IDS, FLOATS, ranks=IDS, threshold_ranks=IDS),
    st.builds(MaskScores, IDS, FLOATS, entropy=st.floats(0, 20), removed=PROBABILITIES),
    st.builds(MaskScores, IDS, FLOATS, vector=VECTORS),
)


def assert_same(ours: Any, theirs: Any, *, but: tuple[str, ...] = ()) -> None:
    """Assert that two values are of one class and equal, arrays in their types too."""
    assert type(ours) is type(theirs)
    if isinstance(ours, np.ndarray):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    elif hasattr(ours, "__dataclass_fields__"):
        for field in fields(ours):
            if field.name not in but:
                assert_same(getattr(ours, field.name), getattr(theirs, field.name))
    else:
        assert ours == theirs


@given(encodings())
def test_engine_reads_an_encoding_as_it_was(encoding: Encoding) -> None:
    """All but the text of the caller, which no engine reads."""
    read = Text.of(encoding).to_encoding()
    assert_same(read, encoding, but=("text", "mask_spans"))
    assert (read.text, read.mask_spans) == ("", ())


@given(arrays(np.float32, st.integers(0, 5)), st.integers(1, 4))
def test_thresholds_for_every_position_reach_each(thresholds: Any, positions: int) -> None:
    """One list counts for all of them."""
    question = Ranked(np.zeros(1, np.int32), thresholds)
    masks = np.arange(positions)
    encoding = Encoding("", masks.astype(np.int32), masks, (), None, 1, question=question)
    read = Text.of(encoding).to_encoding().question
    assert isinstance(read, Ranked)
    np.testing.assert_array_equal(read.thresholds, np.tile(thresholds, (positions, 1)), strict=True)


@given(SCORES)
def test_scores_are_not_rounded(scores: MaskScores) -> None:
    """A worker answers with the very numbers of the engine."""
    assert_same(Mask.of(scores).to_scores(), scores)


def test_plain_answers_cross_as_two_arrays() -> None:
    """What nobody asked takes a byte."""
    scores = MaskScores(np.zeros(1, np.int32), np.zeros(1, np.float32))
    assert Mask.of(scores).answers is None
