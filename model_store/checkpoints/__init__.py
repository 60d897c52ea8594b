"""Checkpoint formats: one file each, all yielding a `Checkpoint`."""

from pathlib import Path
from typing import Protocol

from model_store.checkpoints.checkpoint import Checkpoint
from model_store.checkpoints.completeness import require_complete, require_matching_vocabulary
from model_store.checkpoints.files import read_json
from model_store.checkpoints.google_tf1 import is_google_tf1, read_google_tf1
from model_store.checkpoints.join import has_joined_head, read_joined
from model_store.checkpoints.keras_preset import is_keras_preset, read_keras_preset
from model_store.checkpoints.keras_preset_writer import write_keras_preset
from model_store.checkpoints.transformers import (
    is_transformers_config,
    read_tokenizer,
    read_transformers_dir,
    write_tokenizer,
    write_transformers_dir,
)
from model_store.errors import ModelLoadError

__all__ = [
    "Checkpoint",
    "read_checkpoint",
    "read_tokenizer",
    "write_keras_preset",
    "write_tokenizer",
    "write_transformers_dir",
]


class _Reader(Protocol):
    def __call__(self, directory: Path, *, weights: bool = True) -> Checkpoint: ...


def read_checkpoint(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a directory in whichever format it is of, complete or not at all.

    Args:
        directory: where the files are.
        weights: whether to read them; else there are no variables, the head may be missing, and
            whether it is tied is what the config says.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: no format fits, or anything else is missing or broken.
    """
    checkpoint = _find_reader(directory)(directory, weights=weights)
    if weights:
        require_complete(checkpoint)
    else:
        require_matching_vocabulary(checkpoint)
    return checkpoint


def _find_reader(directory: Path) -> _Reader:
    """Return what reads a directory: Google's has no `config.json`, the others differ by theirs."""
    if is_google_tf1(directory):
        return read_google_tf1
    if has_joined_head(directory):
        return read_joined
    config = read_json(directory / "config.json")
    if is_keras_preset(config):
        return read_keras_preset
    if is_transformers_config(config):
        return read_transformers_dir
    message = "config.json is neither Transformers' nor KerasHub's; use one of these formats."
    raise ModelLoadError(message)
