"""What the engines on Keras' own backends share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from model_store.engines.batches.batch import Batch, Scores, join_scores
from model_store.engines.batches.mask_queries import Queries
from model_store.engines.batches.shape_buckets import Shapes
from model_store.engines.engine import Precision
from model_store.engines.vocabulary_scores import finish, normalize, top_k
from model_store.masked_lm.masked_lm import MaskedLM


class KerasEngine(ABC):
    """Runs a Keras model in three steps, each compiled by itself.

    The encoder runs once a batch. The rest runs once for as many masks a row as the engine's shapes
    allow at a time, so a text with many masks needs no shape of its own.
    """

    name: str
    shapes: Shapes

    def __init__(self, model: MaskedLM) -> None:
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
        places = _to_tensor(batch.text_numbers), _to_tensor(batch.positions)
        hidden = self._encode(_to_tensor(batch.token_ids), *places, _to_tensor(batch.segment_ids))
        whole = batch.has_questions
        parts = [self._run_queries(hidden, places, part, k, whole=whole) for part in batch.queries]
        return join_scores(batch, parts)

    def _run_queries(
        self, hidden: Any, places: tuple[Any, Any], queries: Queries, k: int, *, whole: bool
    ) -> Scores:
        """Return the answers to some of the masks, padding included, or with all logits."""
        ids, log_probabilities, logits, normalizer = self._finish(
            hidden, places, _to_tensor(queries.positions), _to_tensor(queries.slots), k=k
        )
        found = np.zeros(queries.target_ids.shape, np.float32)
        if queries.target_ids.shape[1]:
            target_ids = _to_tensor(queries.target_ids)
            found = self.to_numpy(self._look_up(logits, normalizer, target_ids))
        scores = Scores(self.to_numpy(ids), self.to_numpy(log_probabilities), found)
        if not whole:
            return scores
        return replace(
            scores,
            logits=self.to_numpy(logits),
            normalizers=self.to_numpy(normalizer)[:, 0],
        )

    def _score_masks(
        self, hidden: Any, places: tuple[Any, Any], queries: Any, slots: Any, k: int
    ) -> tuple[Any, Any, Any, Any]:
        logits = finish(self._model, hidden, places, queries, slots)
        normalizer = normalize(logits)[:, None]
        values, ids = top_k(logits, k)
        return ids, values - normalizer, logits, normalizer


def _to_tensor(array: Any) -> Any:
    return ops.convert_to_tensor(array, dtype="int32")


def _look_up(logits: Any, normalizer: Any, target_ids: Any) -> Any:
    """Return the log-probabilities of targets, `[masks, targets]`."""
    return ops.take_along_axis(logits, target_ids, axis=-1) - normalizer
