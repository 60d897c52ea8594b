"""The JAX engine: one XLA program for each shape bucket."""

from functools import partial
from typing import Any

import jax
import keras
import numpy as np

from model_store.batch import Batch, Scores
from model_store.bert.masked_lm import BertMaskedLM
from model_store.engines.engine import score


class JaxEngine:
    """Runs a model as jitted functions; JAX keeps one for each shape."""

    name = "jax"

    def __init__(self, model: BertMaskedLM) -> None:
        """Take a model over; nothing is compiled yet."""
        self._weights = [variable.value for variable in model.variables]
        self._run = jax.jit(partial(_score_stateless, model), static_argnames="k")

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        outputs = self._run(self._weights, batch.arrays, k=k)
        return Scores(*(np.asarray(output) for output in outputs))


def _score_stateless(model: BertMaskedLM, weights: Any, arrays: Any, k: int) -> Any:
    """Score with weights passed in: closed over, XLA would copy them into every program."""
    with keras.StatelessScope(state_mapping=zip(model.variables, weights, strict=True)):
        return score(model, arrays, k)
