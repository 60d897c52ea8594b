"""A trained model of another family than BERT, in KerasHub's format."""

import json
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import fillmask
from model_store.checkpoints import read_checkpoint
from model_store.checkpoints.attention_heads import split_heads
from model_store.checkpoints.config_fields import EXTRA
from model_store.checkpoints.keras.families.distilbert import DISTILBERT
from model_store.loading.proving.head_proof_file import read_proof

POSITIONS = "position_embedding/embeddings"


def write_distilbert(source: Path, directory: Path) -> Path:
    """Write a BERT as the DistilBERT that gives the same answers to texts of one segment.

    That one has no segments: what is added for the first is a part of every position.
    """
    checkpoint = read_checkpoint(source)
    config, variables = checkpoint.config, dict(checkpoint.variables)
    variables[POSITIONS] = variables[POSITIONS] + variables["segment_embedding/embeddings"][0]
    fields = ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim")
    backbone = {name: getattr(config, name) for name in (*fields, "max_sequence_length")}
    assets = directory / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    shutil.copy(source / "vocab.txt", assets / "vocabulary.txt")
    for name, described in {
        "config.json": {
            "class_name": DISTILBERT.backbone,
            "config": backbone,
            EXTRA: {"head_layer_norm_epsilon": config.head_layer_norm_epsilon},
        },
        "task.json": {"class_name": DISTILBERT.task},
        "tokenizer.json": {"config": {"lowercase": True}},
    }.items():
        (directory / name).write_text(json.dumps(described), "utf-8")
    for name, datasets in {
        "model.weights.h5": DISTILBERT.list_backbone(config),
        "task.weights.h5": DISTILBERT.list_head(),
    }.items():
        with h5py.File(directory / name, "w") as file:
            for theirs, ours in datasets:
                array = variables[ours].astype(np.float32)
                file[theirs] = split_heads(ours, array, config.num_heads)
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
