"""The TensorFlow engine: one graph for each shape bucket."""

from typing import Any

import numpy as np
import tensorflow as tf

from model_store.batch import Batch, Scores
from model_store.bert.masked_lm import BertMaskedLM
from model_store.engines.engine import score


class TensorFlowEngine:
    """Runs a model as TensorFlow graphs, through XLA where an accelerator is visible."""

    name = "tensorflow"

    def __init__(self, model: BertMaskedLM) -> None:
        """Take a model over; nothing is compiled yet."""
        self._model = model
        self._on_accelerator = bool(tf.config.list_physical_devices("GPU"))
        self._graphs: dict[tuple[Any, ...], Any] = {}

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        bucket = (k, *(array.shape for array in batch.arrays))
        if bucket not in self._graphs:
            self._graphs[bucket] = self._compile(batch, k)
        outputs = self._graphs[bucket](*(tf.constant(array) for array in batch.arrays))
        return Scores(*(np.asarray(output) for output in outputs))

    def _compile(self, batch: Batch, k: int) -> Any:
        def score_batch(*arrays: Any) -> Any:
            return score(self._model, arrays, k)

        specs = (tf.TensorSpec(array.shape, tf.int32) for array in batch.arrays)
        function = tf.function(score_batch, jit_compile=self._on_accelerator)
        return function.get_concrete_function(*specs)
