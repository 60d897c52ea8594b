"""A trained model of another family than BERT, in KerasHub's format."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

import fillmask
from model_store.checkpoints import Checkpoint, read_checkpoint, write_keras_preset
from model_store.loading.proving.head_proof_file import read_proof

POSITIONS = "position_embedding/embeddings"


def write_distilbert(source: Path, directory: Path) -> Path:
    """Write a BERT as the DistilBERT that gives the same answers to texts of one segment.

    That one has no segments: what is added for the first is a part of every position.
    """
    checkpoint = read_checkpoint(source)
    variables = dict(checkpoint.variables)
    segment = variables.pop("segment_embedding/embeddings")[0]
    variables[POSITIONS] = variables[POSITIONS] + segment
    config = replace(checkpoint.config, family="distilbert", num_segments=0)
    write_keras_preset(Checkpoint(config, checkpoint.tokenizer, variables), directory)
    return directory


def test_its_head_is_proven_and_its_answers_are_right(
    embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """Those of the BERT that it is."""
    directory = write_distilbert(embedded_preset_dir, tmp_path / "mine")
    options: dict[str, Any] = {"engine": "tensorflow", "precision": "float32"}
    texts = ["The capital of France is [MASK].", "He [MASK] the ball into the [MASK]."]
    ours, theirs = (
        fillmask.load(preset, **options).fill_mask(texts, top_k=5)
        for preset in (directory, embedded_preset_dir)
    )
    proof = read_proof(directory)
    assert proof is not None
    assert proof.is_verified
    assert ours[0].masks[0].predictions[0].sequence == "The capital of France is paris."
    for mine, other in zip(
        chain(*(a.masks for a in ours)), chain(*(a.masks for a in theirs)), strict=True
    ):
        assert [p.token for p in mine.predictions] == [p.token for p in other.predictions]
        scores = [p.score for p in other.predictions]
        np.testing.assert_allclose([p.score for p in mine.predictions], scores, rtol=1e-3)
