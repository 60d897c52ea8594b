"""The graph that every engine runs, on Keras operations: token ids in, scores of masks out.

encode    every layer but the last, for every token
finish    the last layer, the head and the vocabulary, for masks only
top_k     the likeliest entries, exactly, without sorting the vocabulary
"""

from typing import Any

from keras import ops

from model_store.engines.block_top_k import BLOCK
from model_store.masked_lm.masked_lm import MaskedLM

_NEVER = -1e30


def score_masks(
    model: MaskedLM,
    *,
    token_ids: Any,
    text_numbers: Any,
    positions: Any,
    segment_ids: Any,
    queries: Any,
    slots: Any,
) -> tuple[Any, Any, Any]:
    """Return logits, their normalizers and their block maxima.

    Args:
        model: the masked LM.
        token_ids: `[rows, width]` ints.
        text_numbers: `[rows, width]` ints; a token attends to those of its own number.
        positions: `[rows, width]` ints, where in its text each token is.
        segment_ids: `[rows, width]` ints, which of its text's segments each token is of.
        queries: `[rows, queries]` ints, where in its row each mask is.
        slots: `[masks]` ints, each `row * queries + query`.

    Returns:
        `[masks, vocabulary_size]`, `[masks]` and `[masks, blocks]`, float32. A logit less its
        normalizer is a log-probability.
    """
    hidden = model.backbone.encode(token_ids, text_numbers, positions, segment_ids)
    logits = finish(model, hidden, (text_numbers, positions), queries, slots)
    return logits, normalize(logits), ops.max(cut_to_blocks(logits), axis=-1)


def finish(model: MaskedLM, hidden: Any, places: tuple[Any, Any], queries: Any, slots: Any) -> Any:
    """Return the logits of masks, `[masks, vocabulary_size]` float32.

    `places` are the text numbers and the positions; the rest is as `score_masks` has it.
    """
    masked = model.backbone.finish_at(hidden, *places, queries, slots)
    return model.masked_lm_head.project(masked)


def normalize(logits: Any) -> Any:
    """Return the logarithm of the sum of exponentials, `[masks]`, stable for any logits."""
    return ops.logsumexp(logits, axis=-1)


def cut_to_blocks(logits: Any) -> Any:
    """Return `[masks, blocks, BLOCK]`, filled up with what is never the likeliest."""
    padding = -logits.shape[-1] % BLOCK
    padded = ops.pad(logits, ((0, 0), (0, padding)), constant_values=_NEVER)
    return ops.reshape(padded, (-1, padded.shape[-1] // BLOCK, BLOCK))


def top_k(logits: Any, k: int) -> tuple[Any, Any]:
    """Return the k largest logits and their ids, `[masks, k]` each, the largest first.

    The k largest stand in the k blocks with the largest maxima, so only those are searched.
    """
    blocks = cut_to_blocks(logits)
    _, best = ops.top_k(ops.max(blocks, axis=-1), min(k, blocks.shape[1]))
    # In order, so that of equal entries the first one wins.
    best = ops.sort(best, axis=-1)
    found = ops.reshape(
        ops.take_along_axis(blocks, best[:, :, None], axis=1), (-1, best.shape[-1] * BLOCK)
    )
    values, places = ops.top_k(found, k)
    ids = ops.take_along_axis(best, places // BLOCK, axis=1) * BLOCK + places % BLOCK
    return values, ops.cast(ids, "int32")
