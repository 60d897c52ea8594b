"""What goes into an engine and what comes out: arrays of texts that share rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_store.engines.batches.mask_queries import Ints, Queries, cut_queries
from model_store.engines.batches.reductions import Floats, answer
from model_store.engines.batches.row_packing import lay_out
from model_store.engines.batches.shape_buckets import Shapes
from model_store.errors import InferenceError
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.word_filter import WordFilter

_ALWAYS = ("token_ids", "log_probabilities", "target_log_probabilities")
"""What an engine answers whatever is asked."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded texts, end to end in rows of a shape that an engine takes.

    Attributes:
        token_ids: `[rows, width]` int32.
        text_numbers: `[rows, width]` int32: the texts of a row from 1 on, and 0 at padding. A token
            attends to those of its own number.
        positions: `[rows, width]` int32, counted anew for each text.
        segment_ids: `[rows, width]` int32, 0 at padding.
        queries: the masks, in as many parts as the engine needs.
        has_questions: whether the whole logits of the masks are asked for too.
    """

    token_ids: Ints
    text_numbers: Ints
    positions: Ints
    segment_ids: Ints
    queries: tuple[Queries, ...]
    has_questions: bool = False

    @property
    def masks(self) -> int:
        """How many masks there are."""
        return sum(len(part.masks) for part in self.queries)

    @property
    def computed_tokens(self) -> int:
        """How many tokens are computed, padding counted."""
        return self.token_ids.size


@dataclass(frozen=True, slots=True)
class Scores:
    """What an engine answers, one row a mask, in the order of the texts and their masks.

    Attributes:
        token_ids: `[masks, k]` int32, the likeliest first.
        log_probabilities: `[masks, k]` float32, over the whole vocabulary.
        target_log_probabilities: `[masks, targets]` float32, likewise.
        logits: `[masks, vocabulary_size]` float32 where the batch has questions, else empty. They
            may be the runtime's own, which the next run overwrites.
        normalizers: `[masks]` float32 or empty, likewise: a logit less its normalizer is a
            log-probability.
    """

    token_ids: Ints
    log_probabilities: Floats
    target_log_probabilities: Floats
    logits: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    normalizers: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


def collate(encodings: Sequence[Encoding], shapes: Shapes) -> Batch:
    """Lay encodings into the rows in which they cost least."""
    layout = lay_out([len(e.token_ids) for e in encodings], shapes)
    batch = _make_empty(len(layout.rows), layout.width)
    # Where each text begins, as an index into all rows end to end.
    starts = [0] * len(encodings)
    for row, texts in enumerate(layout.rows):
        start = 0
        for number, text in enumerate(texts, start=1):
            token_ids = encodings[text].token_ids
            end = start + len(token_ids)
            batch.token_ids[row, start:end] = token_ids
            batch.text_numbers[row, start:end] = number
            batch.positions[row, start:end] = np.arange(len(token_ids))
            segment_ids = encodings[text].segment_ids
            if segment_ids is not None:
                batch.segment_ids[row, start:end] = segment_ids
            starts[text] = row * layout.width + start
            start = end
    places = np.concatenate(
        [start + e.mask_positions for start, e in zip(starts, encodings, strict=True)]
    )
    target_ids = _collate_targets(encodings, len(places), shapes)
    queries = cut_queries(places, target_ids, batch.token_ids.shape, shapes)
    has_questions = any(e.question is not None for e in encodings)
    return replace(batch, queries=tuple(queries), has_questions=has_questions)


def make_blank_batch(rows: int, width: int, targets: int, shapes: Shapes) -> Batch:
    """Return a batch of a shape, with a mask in every row, that says nothing."""
    batch = _make_empty(rows, width)
    target_ids = np.zeros((rows, shapes.targets(targets)), np.int32)
    queries = cut_queries(np.arange(rows) * width, target_ids, (rows, width), shapes)
    return replace(batch, queries=tuple(queries))


def _make_empty(rows: int, width: int) -> Batch:
    token_ids, text_numbers, positions, segment_ids = np.zeros((4, rows, width), np.int32)
    return Batch(token_ids, text_numbers, positions, segment_ids, ())


def _collate_targets(encodings: Sequence[Encoding], masks: int, shapes: Shapes) -> Ints:
    """Return `[masks, targets]`, padded with 0."""
    asked = (len(e.target_ids) for e in encodings if e.target_ids is not None)
    target_ids = np.zeros((masks, shapes.targets(max(asked, default=0))), np.int32)
    first = 0
    for encoding in encodings:
        last = first + len(encoding.mask_positions)
        if encoding.target_ids is not None:
            target_ids[first:last, : len(encoding.target_ids)] = encoding.target_ids
        first = last
    return target_ids


def join_scores(batch: Batch, parts: Sequence[Scores]) -> Scores:
    """Return the answers to all queries of a batch in the order of its masks, padding left out."""
    if len(parts) == 1 and len(parts[0].token_ids) == batch.masks:
        return parts[0]
    back = np.argsort(np.concatenate([queries.masks for queries in batch.queries]))

    def join(name: str) -> NDArray[Any]:
        pairs = zip(parts, batch.queries, strict=True)
        real = [getattr(part, name)[: len(queries.masks)] for part, queries in pairs]
        return np.concatenate(real)[back]

    names = Scores.__slots__ if batch.has_questions else _ALWAYS
    return Scores(**{name: join(name) for name in names})


def require_shape(scores: Scores, batch: Batch, k: int) -> None:
    """See that there is a row for every mask, and a column for every candidate and target.

    Raises:
        InferenceError: there is not.
    """
    masks, targets = batch.masks, batch.queries[0].target_ids.shape[1]
    wanted: list[tuple[int, ...]] = [(masks, k), (masks, k), (masks, targets)]
    arrays = [getattr(scores, name) for name in _ALWAYS]
    shapes = [array.shape for array in arrays]
    if batch.has_questions:
        wanted += [(masks,), (masks,)]
        shapes += [scores.logits.shape[:1], scores.normalizers.shape]
    if shapes != wanted:
        message = f"The engine answered {shapes} where {wanted} was asked; report this."
        raise InferenceError(message)


def split_scores(
    encodings: Sequence[Encoding], scores: Scores, words: WordFilter
) -> list[list[MaskScores]]:
    """Return for each text, in order, what it asked for, which is nothing of the runtime's own.

    Args:
        encodings: the texts.
        scores: what an engine answered them.
        words: what questions filter by.
    """
    results = []
    first = 0
    for encoding in encodings:
        last = first + len(encoding.mask_positions)
        if encoding.question is None:
            results.append([_take_mask(encoding, scores, mask) for mask in range(first, last)])
        else:
            whole = scores.logits[first:last], scores.normalizers[first:last]
            results.append(answer(encoding.question, *whole, words))
        first = last
    return results


def _take_mask(encoding: Encoding, scores: Scores, mask: int) -> MaskScores:
    k = encoding.top_k
    if encoding.target_ids is None:
        return MaskScores(scores.token_ids[mask, :k], scores.log_probabilities[mask, :k])
    log_probabilities = scores.target_log_probabilities[mask, : len(encoding.target_ids)]
    likeliest = np.argsort(-log_probabilities, kind="stable")[:k]
    return MaskScores(encoding.target_ids[likeliest], log_probabilities[likeliest])
