"""A backbone from one checkpoint and a head from another that is the same model.

    config.json ...        a KerasHub preset: the backbone and the tokenizer
    head/config.json ...   the Transformers checkpoint it was converted from: the head

KerasHub's presets of BERT may have no head; the checkpoints that they were made from have one. It
fits only the very weights that it was trained with, so the two are compared before they are joined.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from model_store.checkpoints.checkpoint import Array, Checkpoint
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.keras.preset import read_keras_backbone
from model_store.checkpoints.transformers.directory import read_transformers_dir
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

HEAD_DIRECTORY = "head"
"""Where a preset keeps the checkpoint that its head is taken from."""

_TOKEN_EMBEDDINGS = "token_embedding/embeddings"  # noqa: S105  # no password
_HEAD = "masked_lm_head/"
_SHAPE = ("family", "vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim")
_TOLERANCE = 1e-3
"""Of the norm of all token embeddings: two rows swapped differ by ten times that."""


def has_joined_head(directory: Path) -> bool:
    """Say whether a preset keeps its head apart."""
    return (directory / HEAD_DIRECTORY / "config.json").is_file()


def read_joined(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a preset that keeps its head apart.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: a file is missing or broken, or the two do not belong together.
    """
    head = read_transformers_dir(directory / HEAD_DIRECTORY, weights=weights)
    backbone = read_keras_backbone(directory, weights=weights)
    if not weights:
        return replace(backbone, config=_join_configs(backbone, head))
    require_complete(head)
    return join_head(backbone, head)


def join_head(backbone: Checkpoint, original: Checkpoint) -> Checkpoint:
    """Return the backbone and tokenizer of one checkpoint with the head of another.

    Args:
        backbone: a checkpoint whose head, if it has one, is not used.
        original: a complete checkpoint of the same model.

    Raises:
        ModelLoadError: they are not the same model.
    """
    config = _join_configs(backbone, original)
    _require_same_embeddings(backbone, original)
    ours = {k: v for k, v in backbone.variables.items() if not k.startswith(_HEAD)}
    head = {k: v for k, v in original.variables.items() if k.startswith(_HEAD)}
    return Checkpoint(config, backbone.tokenizer, {**ours, **head})


def _join_configs(backbone: Checkpoint, original: Checkpoint) -> EncoderConfig:
    _require_same_shape(backbone, original)
    return replace(
        backbone.config,
        head_hidden_act=original.config.head_hidden_act,
        head_layer_norm_epsilon=original.config.head_layer_norm_epsilon,
        tie_word_embeddings=original.config.tie_word_embeddings,
        dropped_token=original.config.dropped_token,
    )


def _require_same_shape(backbone: Checkpoint, original: Checkpoint) -> None:
    for field in _SHAPE:
        ours, theirs = getattr(backbone.config, field), getattr(original.config, field)
        if ours != theirs:
            message = (
                f"The backbone has {field} {ours} and the checkpoint with the head {theirs}; "
                "take both from the same model."
            )
            raise ModelLoadError(message)


def _require_same_embeddings(backbone: Checkpoint, original: Checkpoint) -> None:
    ours = backbone.variables.get(_TOKEN_EMBEDDINGS)
    theirs = original.variables[_TOKEN_EMBEDDINGS]
    if ours is None:
        message = f"The backbone lacks {_TOKEN_EMBEDDINGS}; fetch it again."
        raise ModelLoadError(message)
    if ours.shape != theirs.shape or not _is_close(ours, theirs):
        message = (
            "The token embeddings of the backbone are not those of the checkpoint with the head; "
            "take both from the same model."
        )
        raise ModelLoadError(message)


def _is_close(ours: Array, theirs: Array) -> bool:
    theirs = theirs.astype(np.float32)
    # A damaged file has values whose squares are none.
    with np.errstate(over="ignore", invalid="ignore"):
        difference = np.linalg.norm(ours.astype(np.float32) - theirs)
        largest = _TOLERANCE * np.linalg.norm(theirs)
    return bool(np.isfinite(difference) and difference <= largest)
