"""The PyTorch engine: eager, for machines that have PyTorch and nothing else."""

import numpy as np
import torch
from keras import ops

from model_store.batch import Batch, Scores
from model_store.bert.masked_lm import BertMaskedLM
from model_store.engines.engine import score


class TorchEngine:
    """Runs a model operation by operation: there is nothing to compile, whatever the shape."""

    name = "torch"

    def __init__(self, model: BertMaskedLM) -> None:
        """Take a model over."""
        self._model = model

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        tensors = tuple(ops.convert_to_tensor(array, dtype="int32") for array in batch.arrays)
        with torch.inference_mode():
            outputs = score(self._model, tensors, k)
        return Scores(*(np.asarray(output.cpu()) for output in outputs))
