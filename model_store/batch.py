"""What goes into an engine and what comes out: arrays of a few fixed shapes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_store.encoding import Encoding
from model_store.errors import InferenceError
from model_store.filled_text import MaskScores
from model_store.shape_buckets import Shapes


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded texts side by side, padded to a shape that an engine takes.

    Attributes:
        token_ids: `[rows, length]` int32.
        padding_mask: `[rows, length]` int32, 1 at real tokens. A padding row has one real token,
            so that no row attends to nothing.
        mask_positions: `[masks]` int32, each `row * length + position`; padded with 0.
        target_ids: `[masks, targets]` int32, padded with 0; `targets` is 0 where nobody asked.
    """

    token_ids: NDArray[np.int32]
    padding_mask: NDArray[np.int32]
    mask_positions: NDArray[np.int32]
    target_ids: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Scores:
    """What an engine answers, one row a mask, in the order of `Batch.mask_positions`.

    Attributes:
        token_ids: `[masks, k]` int32, the likeliest first.
        log_probabilities: `[masks, k]` float32, over the whole vocabulary.
        target_log_probabilities: `[masks, targets]` float32, likewise.
    """

    token_ids: NDArray[np.int32]
    log_probabilities: NDArray[np.float32]
    target_log_probabilities: NDArray[np.float32]


def collate(encodings: Sequence[Encoding], shapes: Shapes, max_sequence_length: int) -> Batch:
    """Lay encodings side by side in the smallest shape that holds them.

    Masks come in whole numbers of what an engine computes at a time.
    """
    rows = shapes.rows(len(encodings))
    longest = max(len(e.token_ids) for e in encodings)
    length = min(shapes.length(longest), max_sequence_length)
    masks = sum(len(e.mask_positions) for e in encodings)
    at_a_time = shapes.masks(masks, rows)
    masks = -(-masks // at_a_time) * at_a_time
    targets = shapes.targets(
        max((len(e.target_ids) for e in encodings if e.target_ids is not None), default=0)
    )
    batch = Batch(
        token_ids=np.zeros((rows, length), np.int32),
        padding_mask=np.zeros((rows, length), np.int32),
        mask_positions=np.zeros(masks, np.int32),
        target_ids=np.zeros((masks, targets), np.int32),
    )
    batch.padding_mask[:, 0] = 1
    first = 0
    for row, encoding in enumerate(encodings):
        batch.token_ids[row, : len(encoding.token_ids)] = encoding.token_ids
        batch.padding_mask[row, : len(encoding.token_ids)] = 1
        last = first + len(encoding.mask_positions)
        batch.mask_positions[first:last] = row * length + encoding.mask_positions
        if encoding.target_ids is not None:
            batch.target_ids[first:last, : len(encoding.target_ids)] = encoding.target_ids
        first = last
    return batch


def require_shape(scores: Scores, batch: Batch, k: int) -> None:
    """See that there is a row for every mask, and a column for every candidate and target.

    Raises:
        InferenceError: there is not.
    """
    masks, targets = batch.target_ids.shape
    wanted = [(masks, k), (masks, k), (masks, targets)]
    arrays = (scores.token_ids, scores.log_probabilities, scores.target_log_probabilities)
    shapes = [array.shape for array in arrays]
    if shapes != wanted:
        message = f"The engine answered {shapes} where {wanted} was asked; report this."
        raise InferenceError(message)


def split_scores(encodings: Sequence[Encoding], scores: Scores) -> list[list[MaskScores]]:
    """Return for each text, in order, the candidates of each of its masks, at most its top-k."""
    results = []
    first = 0
    for encoding in encodings:
        last = first + len(encoding.mask_positions)
        results.append([_take_mask(encoding, scores, mask) for mask in range(first, last)])
        first = last
    return results


def _take_mask(encoding: Encoding, scores: Scores, mask: int) -> MaskScores:
    k = encoding.top_k
    if encoding.target_ids is None:
        return MaskScores(scores.token_ids[mask, :k], scores.log_probabilities[mask, :k])
    log_probabilities = scores.target_log_probabilities[mask, : len(encoding.target_ids)]
    likeliest = np.argsort(-log_probabilities, kind="stable")[:k]
    return MaskScores(encoding.target_ids[likeliest], log_probabilities[likeliest])
