"""A directory becomes a model, every variable of it read from a file."""

import math
from itertools import chain
from pathlib import Path

import numpy as np

from model_store.bert.masked_lm import BertMaskedLM
from model_store.bert.tokenizer import BertTokenizer
from model_store.bert.variable_shapes import list_backbone_shapes, list_head_shapes
from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.engines import create_engine
from model_store.errors import HeadMissingError, ModelLoadError
from model_store.fill_mask import FillMaskModel, ModelFacts


def load_fill_mask_model(directory: Path) -> FillMaskModel:
    """Read a checkpoint directory and hand the model to an engine.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together.
    """
    model, tokenizer = load_masked_lm(directory)
    facts = ModelFacts(
        vocabulary_size=model.backbone.vocabulary_size,
        max_sequence_length=model.backbone.max_sequence_length,
        parameters=model.count_params(),
        nbytes=sum(math.prod(w.shape) * np.dtype(w.dtype).itemsize for w in model.weights),
        precision=model.dtype_policy.compute_dtype,
    )
    return FillMaskModel(create_engine(model), tokenizer, facts)


def load_masked_lm(directory: Path) -> tuple[BertMaskedLM, BertTokenizer]:
    """Read a checkpoint directory.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together.
    """
    checkpoint = read_checkpoint(directory)
    _require_matching_vocabulary(checkpoint)
    _require_variables(checkpoint)
    model = BertMaskedLM.from_bert_config(checkpoint.config)
    for weight in model.weights:
        weight.assign(checkpoint.variables[weight.path])
    return model, checkpoint.tokenizer


def _require_matching_vocabulary(checkpoint: Checkpoint) -> None:
    entries, rows = checkpoint.tokenizer.vocabulary_size, checkpoint.config.vocabulary_size
    if entries > rows:
        message = (
            f"The tokenizer has {entries} entries and the model {rows}; "
            "take both from the same checkpoint."
        )
        raise ModelLoadError(message)


def _require_variables(checkpoint: Checkpoint) -> None:
    """Hold the files against the shape that they claim: a model half random must never answer."""
    variables, config = checkpoint.variables, checkpoint.config
    for path, _ in list_head_shapes(config):
        if path not in variables:
            message = (
                f"The checkpoint has no masked-LM head ({path} is missing); "
                "use one that was saved with its head."
            )
            raise HeadMissingError(message)
    for path, shape in chain(list_backbone_shapes(config), list_head_shapes(config)):
        if path not in variables:
            message = f"The checkpoint lacks {path}; fetch it again."
            raise ModelLoadError(message)
        if variables[path].shape != shape:
            message = (
                f"{path} has the shape {variables[path].shape} and the config says {shape}; "
                "take both from the same checkpoint."
            )
            raise ModelLoadError(message)
