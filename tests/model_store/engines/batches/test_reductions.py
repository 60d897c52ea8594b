"""Questions about the whole vocabulary are answered as if somebody counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines.batches.reductions import answer
from model_store.text.questions import Filtered, Ranked, Sparse
from model_store.text.word_filter import WordFilter

ENTRIES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "cat", "##s", "!", "été", "2")
SIZE = len(ENTRIES) + 1
"""One more than have names."""

WORDS = WordFilter(build_word_piece(ENTRIES), SIZE)
WHOLE = [ENTRIES.index(entry) for entry in ("cat", "!", "été", "2")]
LETTERS = [ENTRIES.index(entry) for entry in ("cat", "##s", "été")]

# Few levels, so that entries tie.
LOGITS = arrays(
    np.float32, st.tuples(st.integers(1, 3), st.just(SIZE)), elements=st.integers(-4, 4)
)
IDS = arrays(np.int32, st.integers(0, 5), elements=st.integers(0, SIZE - 1))
FILTERS = st.builds(
    Filtered,
    top_k=st.integers(1, SIZE + 2),
    whole_words=st.booleans(),
    alphabetic=st.booleans(),
    excluded_ids=IDS,
    min_score=st.sampled_from([0.0, 0.05, 0.2]),
)
KEEP_ALL = Filtered(3, whole_words=False, alphabetic=False, excluded_ids=np.zeros(0, np.int32))


def normalize(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the sums of exponentials."""
    normalizers: np.ndarray = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    return normalizers.astype(np.float32)


@given(LOGITS, IDS, arrays(np.float32, (3, 2), elements=st.integers(-9, 0)))
def test_ranks_count_what_is_likelier(
    logits: np.ndarray, target_ids: np.ndarray, thresholds: np.ndarray
) -> None:
    """One more than that, for targets in their order and for numbers that are given."""
    normalizers = normalize(logits)
    question = Ranked(target_ids, thresholds[: len(logits)])
    for row, mask in enumerate(answer(question, logits, normalizers, WORDS)):
        log_probabilities = logits[row] - normalizers[row]
        assert mask.token_ids.tolist() == target_ids.tolist()
        assert mask.log_probabilities.tolist() == log_probabilities[target_ids].tolist()
        expected = [1 + (log_probabilities > log_probabilities[i]).sum() for i in target_ids]
        assert mask.ranks is not None
        assert mask.ranks.tolist() == expected
        assert mask.threshold_ranks is not None
        assert mask.threshold_ranks.tolist() == [
            1 + (log_probabilities > threshold).sum() for threshold in thresholds[row]
        ]


def test_one_list_of_thresholds_counts_for_every_position() -> None:
    """It need not be repeated."""
    logits = np.array([[0, 1, 2], [0, 0, 0]], np.float32)
    question = Ranked(np.zeros(0, np.int32), np.array([-0.5, -9], np.float32))
    masks = answer(question, logits, normalize(logits), WORDS)
    assert [
        mask.threshold_ranks.tolist() for mask in masks if mask.threshold_ranks is not None
    ] == [
        [2, 4],
        [1, 4],
    ]


@given(LOGITS, FILTERS)
def test_filter_leaves_the_likeliest_of_the_rest(logits: np.ndarray, question: Filtered) -> None:
    """As many as asked where there are as many, not renormalised; what is gone is summed up."""
    normalizers = normalize(logits)
    kept = set(range(SIZE)) - set(question.excluded_ids.tolist())
    kept &= set(WHOLE) if question.whole_words else kept
    kept &= set(LETTERS) if question.alphabetic else kept
    for row, mask in enumerate(answer(question, logits, normalizers, WORDS)):
        log_probabilities = logits[row] - normalizers[row]
        probabilities = np.exp(log_probabilities.astype(np.float64))
        likeliest = sorted((log_probabilities[i] for i in kept), reverse=True)[: question.top_k]
        expected = [p for p in likeliest if np.exp(np.float64(p)) >= question.min_score]
        assert mask.log_probabilities.tolist() == expected
        assert set(mask.token_ids.tolist()) <= kept
        assert len(set(mask.token_ids.tolist())) == len(expected)
        assert mask.log_probabilities.tolist() == log_probabilities[mask.token_ids].tolist()
        removed = sum(p for i, p in enumerate(probabilities) if i not in kept)
        assert mask.removed == pytest.approx(removed, abs=1e-9)
        assert mask.entropy == pytest.approx(
            -(probabilities * np.log(probabilities)).sum(), abs=1e-5
        )


@given(LOGITS, st.integers(1, SIZE))
def test_vector_can_be_cut_to_its_largest(logits: np.ndarray, top_k: int) -> None:
    """Models that were not trained for it leave most entries above zero."""
    (whole,), (cut,) = (
        answer(question, logits, normalize(logits), WORDS) for question in (Sparse(), Sparse(top_k))
    )
    assert whole.vector is not None
    assert cut.vector is not None
    assert (
        sorted(cut.vector.values, reverse=True) == sorted(whole.vector.values, reverse=True)[:top_k]
    )
    assert set(cut.vector.token_ids.tolist()) <= set(whole.vector.token_ids.tolist())
    assert cut.vector.token_ids.tolist() == sorted(cut.vector.token_ids.tolist())


@given(LOGITS)
def test_vector_is_the_largest_of_each_entry_over_all_positions(logits: np.ndarray) -> None:
    """log(1 + relu(logit)), and nothing of what is zero."""
    (mask,) = answer(Sparse(), logits, normalize(logits), WORDS)
    assert mask.vector is not None
    dense = np.zeros(SIZE, np.float32)
    dense[mask.vector.token_ids] = mask.vector.values
    expected = np.max(np.log(1 + np.maximum(logits, 0)), axis=0)
    np.testing.assert_allclose(dense, expected, atol=1e-6)
    assert (mask.vector.values > 0).all()
    assert mask.vector.token_ids.tolist() == sorted(mask.vector.token_ids.tolist())


@pytest.mark.parametrize("question", [Sparse(), KEEP_ALL])
def test_what_is_no_number_is_seen(question: Sparse | Filtered) -> None:
    """Whoever checks an answer finds it there."""
    logits = np.full((1, SIZE), np.nan, np.float32)
    (mask,) = answer(question, logits, logits[:, 0], WORDS)
    seen = mask.vector.values if mask.vector else mask.entropy
    assert np.size(seen) > 0
    assert np.isnan(seen).all()


def test_answers_are_no_views_of_the_logits() -> None:
    """The runtime writes its next batch there."""
    logits = np.arange(2 * SIZE, dtype=np.float32).reshape(2, SIZE)
    ids = np.arange(3, dtype=np.int32)
    for question in (Sparse(), Ranked(ids, logits[0, :1]), KEEP_ALL):
        for mask in answer(question, logits, normalize(logits), WORDS):
            arrays = [mask.log_probabilities, mask.vector.values if mask.vector else None]
            assert not any(np.shares_memory(logits, each) for each in arrays if each is not None)
