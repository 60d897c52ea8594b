"""The PyTorch engine: eager, for machines that have PyTorch and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from model_store.engines.batches.shape_buckets import OpenShapes
from model_store.engines.engine import Precision
from model_store.engines.keras_engine import KerasEngine


class TorchEngine(KerasEngine):
    """Runs a model operation by operation: there is nothing to compile, whatever the shape."""

    name = "torch"
    shapes = OpenShapes()

    @classmethod
    def precisions(cls) -> tuple[Precision, ...]:
        """Return what this machine computes fast in: bfloat16 on an accelerator."""
        return ("float32", "bfloat16") if torch.cuda.is_available() else ("float32",)

    def compile(self, function: Callable[..., Any], *, static: str | None = None) -> Any:
        """Return the function, without the memory that training would need."""
        del static
        return torch.inference_mode()(function)

    def to_numpy(self, tensor: Any) -> np.ndarray[Any, Any]:
        """Bring a tensor to the host."""
        array: np.ndarray[Any, Any] = tensor.cpu().numpy()
        return array
