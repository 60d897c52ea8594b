"""Converting a checkpoint for OpenVINO, through Keras' own export.

Runs in a process of its own: Keras and its runtime take more memory than most models.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import openvino
from openvino import properties

from model_store.checkpoints import read_checkpoint, write_tokenizer
from model_store.engines.openvino_conversion.fusions import fuse
from model_store.engines.vocabulary_scores import score_masks
from model_store.errors import EngineUnavailableError
from model_store.masked_lm.families import MaskedLM

_BYTES_A_PARAMETER = 4
_MB = 1_000_000
_INPUTS = {
    "token_ids": (None, None),
    "text_numbers": (None, None),
    "positions": (None, None),
    "segment_ids": (None, None),
    "queries": (None, None),
    "slots": (None,),
}


class ScoringModel(keras.Model):  # type: ignore[misc]  # keras ships no types
    """What is exported: named inputs and outputs around `score_masks`."""

    def __init__(self, model: MaskedLM) -> None:
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
        EngineUnavailableError: the disk is too full.
    """
    checkpoint = read_checkpoint(directory)
    model = MaskedLM.from_checkpoint(checkpoint)
    with _require_room(target, model.count_params() * _BYTES_A_PARAMETER):
        write_graph(model, target)
    write_tokenizer(checkpoint, target)
    facts = {
        "vocabulary_size": checkpoint.config.vocabulary_size,
        "max_sequence_length": checkpoint.config.max_sequence_length,
        "num_segments": checkpoint.config.num_segments,
        "parameters": model.count_params(),
        "family": checkpoint.config.family,
    }
    (target / "facts.json").write_text(json.dumps(facts), "utf-8")


def write_graph(model: MaskedLM, target: Path) -> None:
    """Write the graph, and what OpenVINO has an operation for as this operation."""
    scoring = ScoringModel(model)
    # Two of each: Keras warns of a softmax over one.
    scoring({name: keras.ops.zeros([2] * len(shape), "int32") for name, shape in _INPUTS.items()})
    signature = {
        name: keras.InputSpec(shape=shape, dtype="int32", name=name)
        for name, shape in _INPUTS.items()
    }
    exported = target / "exported.xml"
    scoring.export(str(exported), format="openvino", input_signature=[signature], verbose=False)
    core = openvino.Core()
    # Read for good: the disk need not have room for two.
    core.set_property({properties.enable_mmap: False})
    graph = core.read_model(exported)
    for file in (exported, exported.with_suffix(".bin")):
        file.unlink()
    fuse(graph)
    openvino.save_model(graph, target / "model.xml", compress_to_fp16=False)


@contextmanager
def _require_room(target: Path, needed: int) -> Iterator[None]:
    """Say that a disk is full, which OpenVINO's own error does not.

    Raises:
        EngineUnavailableError: there is no room, or there was none left when the block failed.
    """
    _check_room(target, needed)
    try:
        yield
    except Exception:
        _check_room(target, needed)
        raise


def _check_room(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target).free
    if free < needed:
        message = (
            f"The disk is too full for a conversion: it needs {needed // _MB + 1} MB and "
            f"{target.parent} has {free // _MB}; make room there, or let FILLMASK_CACHE_DIR, or "
            "cache_directory= in Python, name a directory that can be written and has it."
        )
        raise EngineUnavailableError(message)
