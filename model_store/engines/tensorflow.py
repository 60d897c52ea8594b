"""The TensorFlow engine: one graph of open shapes on a CPU, XLA where an accelerator is visible."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from model_store.engines.batches.shape_buckets import OpenShapes, ShapeBuckets
from model_store.engines.engine import Precision
from model_store.engines.keras_engine import KerasEngine
from model_store.masked_lm.masked_lm import MaskedLM


class TensorFlowEngine(KerasEngine):
    """Runs a model as TensorFlow graphs."""

    name = "tensorflow"

    def __init__(self, model: MaskedLM) -> None:
        """Take a model over; nothing is compiled yet."""
        self._on_accelerator = bool(tf.config.list_physical_devices("GPU"))
        self.shapes = ShapeBuckets() if self._on_accelerator else OpenShapes()
        if model.compute_dtype == "float32":
            # On a GPU, TensorFlow by itself would round what it multiplies to ten bits.
            tf.config.experimental.enable_tensor_float_32_execution(enabled=False)
        super().__init__(model)

    @classmethod
    def precisions(cls) -> tuple[Precision, ...]:
        """Return what this machine computes fast in: bfloat16 on an accelerator."""
        return ("float32", "bfloat16") if tf.config.list_physical_devices("GPU") else ("float32",)

    def compile(self, function: Callable[..., Any], *, static: str | None = None) -> Any:
        """Return a graph; without XLA it is traced once for all shapes."""
        del static  # TensorFlow traces once for each Python number
        return tf.function(
            function,
            jit_compile=self._on_accelerator,
            reduce_retracing=not self._on_accelerator,
        )

    def to_numpy(self, tensor: Any) -> np.ndarray[Any, Any]:
        """Bring a tensor to the host."""
        return np.asarray(tensor)
