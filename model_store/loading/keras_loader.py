"""A directory becomes a model on one of Keras' own backends."""

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.engines import EngineOptions, Precision
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.errors import EngineUnavailableError
from model_store.errors.failures import running
from model_store.loading.proving.head_proof_file import read_texts
from model_store.loading.proving.tuning import tune
from model_store.masked_lm.families import MaskedLM

_ENGINES = {"tensorflow": "TensorFlowEngine", "jax": "JaxEngine", "torch": "TorchEngine"}


def load_with_keras(directory: Path, options: EngineOptions) -> FillMaskModel:
    """Read a checkpoint directory and hand the model to the engine of Keras' backend.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        EngineUnavailableError: Keras runs on another backend than the one that is asked for, or
            that one fails on them.
        ModelLoadError: anything else is missing, broken or does not fit together.
    """
    name = keras.config.backend() if options.name == "auto" else options.name
    engine = find_engine(name)
    checkpoint = read_checkpoint(directory)

    def load(precision: Precision) -> FillMaskModel:
        return make_model(checkpoint, engine, precision)

    with running(name, directory.name):
        return tune(load, options.precision, engine.precisions(), read_texts(directory))


def find_engine(name: str) -> Any:
    """Return the engine class of a name, which must be that of Keras' backend.

    Raises:
        EngineUnavailableError: Keras runs on another backend, or there is no engine for it.
    """
    backend = keras.config.backend()
    if name not in _ENGINES:
        message = f"There is no engine {name!r} for Keras; use {', '.join(_ENGINES)}."
        raise EngineUnavailableError(message)
    if name != backend:
        message = f"Keras runs on {backend}; set KERAS_BACKEND={name} to use that engine."
        raise EngineUnavailableError(message)
    with running(name, "anything"):
        return getattr(import_module(f"model_store.engines.{name}"), _ENGINES[name])


def make_model(checkpoint: Checkpoint, engine: Any, precision: Precision) -> FillMaskModel:
    """Return the model of a checkpoint on an engine of `find_engine`; nothing is measured."""
    model = MaskedLM.from_checkpoint(checkpoint, dtype=precision)
    facts = ModelFacts(
        vocabulary_size=model.backbone.vocabulary_size,
        max_sequence_length=model.backbone.max_sequence_length,
        parameters=model.count_params(),
        nbytes=sum(math.prod(w.shape) * np.dtype(w.dtype).itemsize for w in model.weights),
        precision=precision,
        num_segments=model.backbone.num_segments,
        family=checkpoint.config.family,
    )
    return FillMaskModel(engine(model), checkpoint.tokenizer, facts)
