"""A directory becomes a model, every variable of it read from a file."""

import math
from pathlib import Path

import numpy as np

from model_store.bert.masked_lm import BertMaskedLM
from model_store.bert.tokenizer import BertTokenizer
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
    try:
        model = BertMaskedLM.from_bert_config(checkpoint.config)
    except (TypeError, ValueError, OverflowError) as error:
        message = "config.json describes no model that can be built; take the original file."
        raise ModelLoadError(message) from error
    _assign(model, checkpoint)
    return model, checkpoint.tokenizer


def _require_matching_vocabulary(checkpoint: Checkpoint) -> None:
    entries, rows = checkpoint.tokenizer.vocabulary_size, checkpoint.config.vocabulary_size
    if entries > rows:
        message = (
            f"The tokenizer has {entries} entries and the model {rows}; "
            "take both from the same checkpoint."
        )
        raise ModelLoadError(message)


def _assign(model: BertMaskedLM, checkpoint: Checkpoint) -> None:
    """Fill every weight of the model, or none: a model half random must never answer."""
    missing = [w.path for w in model.weights if w.path not in checkpoint.variables]
    if any(path.startswith("masked_lm_head/") for path in missing):
        message = (
            f"The checkpoint has no masked-LM head ({missing[-1]} is missing); "
            "use one that was saved with its head."
        )
        raise HeadMissingError(message)
    if missing:
        message = f"The checkpoint lacks {missing[0]} and {len(missing) - 1} more; fetch it again."
        raise ModelLoadError(message)
    for weight in model.weights:
        array = checkpoint.variables[weight.path]
        if array.shape != tuple(weight.shape):
            message = (
                f"{weight.path} has the shape {array.shape} and config.json says "
                f"{tuple(weight.shape)}; take both from the same checkpoint."
            )
            raise ModelLoadError(message)
        weight.assign(array)
