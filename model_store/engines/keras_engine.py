"""What the engines on Keras' own backends share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from model_store.batch import Batch, Scores
from model_store.engines.engine import Precision
from model_store.engines.vocabulary_scores import finish, normalize, top_k
from model_store.masked_lm.masked_lm import BertMaskedLM
from model_store.shape_buckets import Shapes


class KerasEngine(ABC):
    """Runs a Keras model in three steps, each compiled by itself.

    The encoder runs once a batch. The rest runs once for as many masks as the engine's shapes
    allow at a time, so a text with many masks needs no shape of its own.
    """

    name: str
    shapes: Shapes

    def __init__(self, model: BertMaskedLM) -> None:
        """Take a model over; nothing is compiled yet."""
        self._model = model
        self._encode = self.compile(model.backbone.encode)
        self._finish = self.compile(self._score_masks, static="k")
        self._look_up = self.compile(_look_up)

    @classmethod
    @abstractmethod
    def precisions(cls) -> tuple[Precision, ...]:
        """Return what this machine computes fast in, float32 first."""

    @abstractmethod
    def compile(self, function: Callable[..., Any], *, static: str | None = None) -> Any:
        """Return a function of tensors as the runtime runs it fastest.

        Args:
            function: of the model's weights and its arguments.
            static: the name of an argument that is a number and no tensor.
        """

    @abstractmethod
    def to_numpy(self, tensor: Any) -> np.ndarray[Any, Any]:
        """Bring a tensor to the host."""

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        padding_mask = _to_tensor(batch.padding_mask)
        hidden = self._encode(_to_tensor(batch.token_ids), padding_mask)
        masks = len(batch.mask_positions)
        at_a_time = self.shapes.masks(masks, len(batch.token_ids))
        parts = [
            self._run_masks(
                hidden,
                padding_mask,
                batch.mask_positions[start : start + at_a_time],
                batch.target_ids[start : start + at_a_time],
                k,
            )
            for start in range(0, masks, at_a_time)
        ]
        arrays = zip(*parts, strict=True)
        return Scores(*(np.concatenate([self.to_numpy(a) for a in part]) for part in arrays))

    def _run_masks(
        self, hidden: Any, padding_mask: Any, mask_positions: Any, target_ids: Any, k: int
    ) -> tuple[Any, Any, Any]:
        """Return what `Scores` holds, for some of the masks."""
        ids, log_probabilities, logits, normalizer = self._finish(
            hidden, padding_mask, _to_tensor(mask_positions), k=k
        )
        if not target_ids.shape[1]:
            return ids, log_probabilities, ops.zeros(target_ids.shape, "float32")
        return ids, log_probabilities, self._look_up(logits, normalizer, _to_tensor(target_ids))

    def _score_masks(self, hidden: Any, padding_mask: Any, mask_positions: Any, k: int) -> Any:
        logits = finish(self._model, hidden, padding_mask, mask_positions)
        normalizer = normalize(logits)[:, None]
        values, ids = top_k(logits, k)
        return ids, values - normalizer, logits, normalizer


def _to_tensor(array: Any) -> Any:
    return ops.convert_to_tensor(array, dtype="int32")


def _look_up(logits: Any, normalizer: Any, target_ids: Any) -> Any:
    """Return the log-probabilities of targets, `[masks, targets]`."""
    return ops.take_along_axis(logits, target_ids, axis=-1) - normalizer
