"""The JAX engine: one XLA program for each shape."""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from model_store.engines.batches.shape_buckets import ShapeBuckets
from model_store.engines.engine import Precision
from model_store.engines.keras_engine import KerasEngine
from model_store.masked_lm.masked_lm import MaskedLM


class JaxEngine(KerasEngine):
    """Runs a model as jitted functions; JAX keeps one for each shape."""

    name = "jax"
    shapes = ShapeBuckets()

    def __init__(self, model: MaskedLM) -> None:
        """Take a model over; nothing is compiled yet."""
        self._weights = [variable.value for variable in model.variables]
        self._multiplies = "highest" if model.compute_dtype == "float32" else "default"
        super().__init__(model)

    @classmethod
    def precisions(cls) -> tuple[Precision, ...]:
        """Return what this machine computes fast in: bfloat16 on an accelerator."""
        return ("float32", "bfloat16") if jax.default_backend() != "cpu" else ("float32",)

    def compile(self, function: Callable[..., Any], *, static: str | None = None) -> Any:
        """Return a program that gets the weights passed in: closed over, XLA would copy them."""

        def run(weights: Any, *args: Any, **kwargs: Any) -> Any:
            mapping = zip(self._model.variables, weights, strict=True)
            # On a GPU, JAX by itself would round what it multiplies to ten bits (TF32).
            with (
                jax.default_matmul_precision(self._multiplies),
                keras.StatelessScope(state_mapping=mapping),
            ):
                return function(*args, **kwargs)

        program = jax.jit(run, static_argnames=static)
        return lambda *args, **kwargs: program(self._weights, *args, **kwargs)

    def to_numpy(self, tensor: Any) -> np.ndarray[Any, Any]:
        """Bring a tensor to the host."""
        return np.asarray(tensor)
