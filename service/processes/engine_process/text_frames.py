"""What HTTP workers and the engine process say of texts: encodings, questions and their answers.

Arrays travel as their bytes in the order of the machine, which is one: int32 for ids, positions and
ranks, float32 for log-probabilities and values. How long all of it may be, `frames` limits.
"""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores, SparseVector
from model_store.text.questions import Filtered, Question, Ranked, Sparse


class RankedText(msgspec.Struct, tag="ranked", array_like=True, frozen=True):
    """`Ranked`; the thresholds of every position, one after the other."""

    target_ids: bytes
    thresholds: bytes
    positions: int

    @classmethod
    def of(cls, question: Ranked, positions: int) -> "RankedText":
        """Take over what is asked of so many positions."""
        thresholds = question.thresholds
        return cls(
            _dump(question.target_ids, np.int32),
            _dump(np.broadcast_to(thresholds, (positions, thresholds.shape[-1])), np.float32),
            positions,
        )

    def to_question(self) -> Ranked:
        """Return the question, with thresholds for every position."""
        thresholds = _load_floats(self.thresholds)
        shape = self.positions, len(thresholds) // self.positions
        return Ranked(_load_ids(self.target_ids), thresholds.reshape(shape))


class FilteredText(msgspec.Struct, tag="filtered", array_like=True, frozen=True):
    """`Filtered`."""

    top_k: int
    whole_words: bool
    alphabetic: bool
    excluded_ids: bytes
    min_score: float

    @classmethod
    def of(cls, question: Filtered) -> "FilteredText":
        """Take over all of it."""
        return cls(
            question.top_k,
            question.whole_words,
            question.alphabetic,
            _dump(question.excluded_ids, np.int32),
            question.min_score,
        )

    def to_question(self) -> Filtered:
        """Return the question."""
        ids = _load_ids(self.excluded_ids)
        return Filtered(self.top_k, self.whole_words, self.alphabetic, ids, self.min_score)


class SparseText(msgspec.Struct, tag="sparse", array_like=True, frozen=True):
    """`Sparse`."""

    top_k: int | None

    def to_question(self) -> Sparse:
        """Return the question."""
        return Sparse(self.top_k)


AskedText = RankedText | FilteredText | SparseText


class Text(msgspec.Struct, array_like=True, frozen=True):
    """An `Encoding`, as far as an engine reads it."""

    token_ids: bytes
    mask_positions: bytes
    target_ids: bytes | None
    top_k: int
    segment_ids: bytes | None = None
    question: AskedText | None = None

    @classmethod
    def of(cls, encoding: Encoding) -> "Text":
        """Take over what the engine needs."""
        question = encoding.question
        return cls(
            _dump(encoding.token_ids, np.int32),
            _dump(encoding.mask_positions, np.int32),
            _dump_any(encoding.target_ids, np.int32),
            encoding.top_k,
            _dump_any(encoding.segment_ids, np.int32),
            None if question is None else _ask(question, len(encoding.mask_positions)),
        )

    def to_encoding(self) -> Encoding:
        """Return an encoding without the caller's text, which no engine reads."""
        return Encoding(
            text="",
            token_ids=_load_ids(self.token_ids),
            mask_positions=_load_ids(self.mask_positions).astype(np.int64),
            mask_spans=(),
            target_ids=None if self.target_ids is None else _load_ids(self.target_ids),
            top_k=self.top_k,
            segment_ids=None if self.segment_ids is None else _load_ids(self.segment_ids),
            question=None if self.question is None else self.question.to_question(),
        )


class Answers(msgspec.Struct, array_like=True, frozen=True):
    """What `MaskScores` hold where a question was asked."""

    ranks: bytes | None
    threshold_ranks: bytes | None
    entropy: float | None
    removed: float | None
    vector: tuple[bytes, bytes] | None

    @classmethod
    def of(cls, scores: MaskScores) -> "Answers | None":
        """Take over what there is."""
        vector = scores.vector
        if scores.ranks is None and scores.entropy is None and vector is None:
            return None
        return cls(
            _dump_any(scores.ranks, np.int32),
            _dump_any(scores.threshold_ranks, np.int32),
            scores.entropy,
            scores.removed,
            None if vector is None else _dump_vector(vector),
        )

    def add_to(self, scores: MaskScores) -> MaskScores:
        """Return scores with all of it."""
        ranks, thresholds, vector = self.ranks, self.threshold_ranks, self.vector
        return replace(
            scores,
            ranks=None if ranks is None else _load_ids(ranks),
            threshold_ranks=None if thresholds is None else _load_ids(thresholds),
            entropy=self.entropy,
            removed=self.removed,
            vector=vector and SparseVector(_load_ids(vector[0]), _load_floats(vector[1])),
        )


class Mask(msgspec.Struct, array_like=True, frozen=True):
    """`MaskScores`."""

    token_ids: bytes
    log_probabilities: bytes
    answers: Answers | None = None

    @classmethod
    def of(cls, scores: MaskScores) -> "Mask":
        """Take over both arrays, and what a question asked for."""
        return cls(
            _dump(scores.token_ids, np.int32),
            _dump(scores.log_probabilities, np.float32),
            Answers.of(scores),
        )

    def to_scores(self) -> MaskScores:
        """Return arrays that cannot be written to."""
        scores = MaskScores(_load_ids(self.token_ids), _load_floats(self.log_probabilities))
        return self.answers.add_to(scores) if self.answers else scores


def _ask(question: Question, positions: int) -> AskedText:
    match question:
        case Ranked():
            return RankedText.of(question, positions)
        case Filtered():
            return FilteredText.of(question)
    return SparseText(question.top_k)


def _dump(array: NDArray[Any], dtype: type[np.generic]) -> bytes:
    return array.astype(dtype, copy=False).tobytes()


def _dump_vector(vector: SparseVector) -> tuple[bytes, bytes]:
    return _dump(vector.token_ids, np.int32), _dump(vector.values, np.float32)


def _dump_any(array: NDArray[Any] | None, dtype: type[np.generic]) -> bytes | None:
    return None if array is None else _dump(array, dtype)


def _load_ids(content: bytes) -> NDArray[np.int32]:
    return np.frombuffer(content, np.int32)


def _load_floats(content: bytes) -> NDArray[np.float32]:
    return np.frombuffer(content, np.float32)
