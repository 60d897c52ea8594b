"""What an engine does: a batch and k in, top-k ids and log-probabilities out."""

from typing import Any, Protocol

from keras import ops

from model_store.batch import Batch, Scores
from model_store.bert.masked_lm import BertMaskedLM


class Engine(Protocol):
    """A runtime for one model. Not thread-safe: one thread owns it."""

    name: str

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch, compiling once for each shape of its arrays and k."""
        ...


def score(
    model: BertMaskedLM,
    arrays: tuple[Any, ...],
    k: int,
) -> tuple[Any, Any, Any]:
    """Return the tensors of `Scores` for those of `Batch.arrays`, in whatever backend Keras runs.

    Only masked positions reach the vocabulary: the texts are laid end to end, and the head
    gathers from that one long row.
    """
    token_ids, padding_mask, mask_positions, target_ids = arrays
    hidden = model.backbone(
        {
            "token_ids": token_ids,
            "segment_ids": ops.zeros_like(token_ids),
            "padding_mask": padding_mask,
        }
    )["sequence_output"]
    end_to_end = ops.reshape(hidden, (1, -1, model.backbone.hidden_dim))
    logits = ops.cast(model.masked_lm_head(end_to_end, mask_positions[None, :])[0], "float32")
    normalizer = ops.logsumexp(logits, axis=-1, keepdims=True)
    top_logits, top_ids = ops.top_k(logits, k)
    target_logits = ops.take_along_axis(logits, target_ids, axis=-1)
    return ops.cast(top_ids, "int32"), top_logits - normalizer, target_logits - normalizer
