"""Engines: one file a runtime. Each imports its own runtime, so only the chosen one is loaded."""

from importlib import import_module

import keras

from model_store.bert.masked_lm import BertMaskedLM
from model_store.engines.engine import Engine

__all__ = ["Engine", "create_engine"]

_ENGINES = {"tensorflow": "TensorFlowEngine", "jax": "JaxEngine", "torch": "TorchEngine"}


def create_engine(model: BertMaskedLM) -> Engine:
    """Return the engine of the backend that Keras runs on.

    Raises:
        ValueError: there is none for that backend.
    """
    backend = keras.config.backend()
    if backend not in _ENGINES:
        message = f"The Keras backend {backend!r} has no engine; use {', '.join(_ENGINES)}."
        raise ValueError(message)
    module = import_module(f"{__name__}.{backend}")
    engine: Engine = getattr(module, _ENGINES[backend])(model)
    return engine
