"""Questions that need the whole vocabulary, answered from the logits of a text's positions.

In NumPy and in the engine's thread: what is sorted and summed here is small beside the product
that made it, and needs no graph of its own.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.text.filled_text import MaskScores, SparseVector
from model_store.text.questions import Filtered, Question, Ranked, Sparse
from model_store.text.word_filter import WordFilter

Floats: TypeAlias = NDArray[np.float32]

_NO_IDS = np.zeros(0, np.int32)
_NO_FLOATS = np.zeros(0, np.float32)


def answer(
    question: Question, logits: Floats, normalizers: Floats, words: WordFilter
) -> list[MaskScores]:
    """Answer the question of a text.

    Args:
        question: what is asked.
        logits: `[positions, vocabulary_size]`; only read, and nothing of it is kept.
        normalizers: `[positions]`; a logit less its normalizer is a log-probability.
        words: the entries by what they are.
    """
    match question:
        case Ranked():
            thresholds = np.broadcast_to(
                question.thresholds, (len(logits), question.thresholds.shape[-1])
            )
            return [
                _rank(question.target_ids, asked, row - normalizer)
                for asked, row, normalizer in zip(thresholds, logits, normalizers, strict=True)
            ]
        case Filtered():
            kept = words.keep(question)
            return [
                _filter(question, kept, row - normalizer)
                for row, normalizer in zip(logits, normalizers, strict=True)
            ]
        case Sparse():
            return [_pool(question, logits)]


def _rank(
    target_ids: NDArray[np.int32], thresholds: Floats, log_probabilities: Floats
) -> MaskScores:
    """Sort once: a pass over the vocabulary for each target would soon take longer."""
    found = log_probabilities[target_ids]
    ascending = np.sort(log_probabilities)
    ranks, threshold_ranks = (
        (len(ascending) + 1 - np.searchsorted(ascending, asked, side="right")).astype(np.int32)
        for asked in (found, thresholds)
    )
    return MaskScores(target_ids, found, ranks=ranks, threshold_ranks=threshold_ranks)


def _filter(question: Filtered, kept: NDArray[np.bool_], log_probabilities: Floats) -> MaskScores:
    probabilities = np.exp(log_probabilities, dtype=np.float64)
    ids = np.flatnonzero(kept).astype(np.int32)
    found = log_probabilities[ids]
    if question.top_k < len(ids):
        largest = np.sort(np.argpartition(-found, question.top_k - 1)[: question.top_k])
        ids, found = ids[largest], found[largest]
    order = np.argsort(-found, kind="stable")
    order = order[probabilities[ids[order]] >= question.min_score]
    return MaskScores(
        ids[order],
        found[order],
        # No product of vectors: BLAS would wake threads of its own beside the engine's.
        entropy=-float((probabilities * log_probabilities).sum()),
        removed=float(probabilities[~kept].sum()),
    )


def _pool(question: Sparse, logits: Floats) -> MaskScores:
    values = np.log1p(np.maximum(logits.max(axis=0), 0))
    # No number is above nothing: it is kept, so that whoever checks the answer sees it.
    ids = np.flatnonzero(values != 0).astype(np.int32)
    if question.top_k is not None and question.top_k < len(ids):
        ids = np.sort(ids[np.argpartition(-values[ids], question.top_k - 1)[: question.top_k]])
    return MaskScores(_NO_IDS, _NO_FLOATS, vector=SparseVector(ids, values[ids]))
