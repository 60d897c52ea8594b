"""Converting a checkpoint for OpenVINO, through Keras' own export.

Runs in a process of its own: Keras and its runtime take more memory than most models.
"""

import json
from pathlib import Path
from typing import Any

import keras

from model_store.checkpoints import read_checkpoint, write_tokenizer
from model_store.engines.vocabulary_scores import score_masks
from model_store.masked_lm.masked_lm import BertMaskedLM

_INPUTS = {"token_ids": (None, None), "padding_mask": (None, None), "mask_positions": (None,)}


class ScoringModel(keras.Model):  # type: ignore[misc]  # keras ships no types
    """What is exported: named inputs and outputs around `score_masks`."""

    def __init__(self, model: BertMaskedLM) -> None:
        """Wrap a model."""
        super().__init__()
        self.masked_lm = model

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return what `score_masks` returns, by name."""
        logits, normalizer, block_maxima = score_masks(self.masked_lm, **inputs)
        return {"logits": logits, "normalizer": normalizer, "block_maxima": block_maxima}


def convert(directory: Path, target: Path) -> None:
    """Write a checkpoint as OpenVINO reads it: `model.xml`, `model.bin`, tokenizer, facts.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together.
    """
    checkpoint = read_checkpoint(directory)
    model = BertMaskedLM.from_checkpoint(checkpoint)
    scoring = ScoringModel(model)
    scoring({name: keras.ops.zeros([1] * len(shape), "int32") for name, shape in _INPUTS.items()})
    signature = {
        name: keras.InputSpec(shape=shape, dtype="int32", name=name)
        for name, shape in _INPUTS.items()
    }
    scoring.export(
        str(target / "model.xml"), format="openvino", input_signature=[signature], verbose=False
    )
    write_tokenizer(checkpoint, target)
    facts = {
        "vocabulary_size": checkpoint.config.vocabulary_size,
        "max_sequence_length": checkpoint.config.max_sequence_length,
        "parameters": model.count_params(),
    }
    (target / "facts.json").write_text(json.dumps(facts), "utf-8")
