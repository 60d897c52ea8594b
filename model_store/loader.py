"""A directory becomes a model that answers."""

import math
from pathlib import Path

import numpy as np

from model_store.bert.masked_lm import BertMaskedLM
from model_store.checkpoints import read_checkpoint
from model_store.engines import create_engine
from model_store.fill_mask import FillMaskModel, ModelFacts


def load_fill_mask_model(directory: Path) -> FillMaskModel:
    """Read a checkpoint directory and hand the model to an engine.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together.
    """
    checkpoint = read_checkpoint(directory)
    model = BertMaskedLM.from_checkpoint(checkpoint)
    facts = ModelFacts(
        vocabulary_size=model.backbone.vocabulary_size,
        max_sequence_length=model.backbone.max_sequence_length,
        parameters=model.count_params(),
        nbytes=sum(math.prod(w.shape) * np.dtype(w.dtype).itemsize for w in model.weights),
        precision=model.dtype_policy.compute_dtype,
    )
    return FillMaskModel(create_engine(model), checkpoint.tokenizer, facts)
