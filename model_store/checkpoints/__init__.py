"""Checkpoint formats: one file each, all yielding a `Checkpoint`."""

from pathlib import Path

from model_store.checkpoints.checkpoint import Checkpoint
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.files import read_json
from model_store.checkpoints.keras_preset import is_keras_preset, read_keras_preset
from model_store.checkpoints.transformers_dir import is_transformers_dir, read_transformers_dir
from model_store.errors import ModelLoadError

__all__ = ["Checkpoint", "read_checkpoint"]

_FORMATS = (
    (is_transformers_dir, read_transformers_dir),
    (is_keras_preset, read_keras_preset),
)


def read_checkpoint(directory: Path) -> Checkpoint:
    """Read a directory in whichever format its `config.json` is of, complete or not at all.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: no format fits, or anything else is missing or broken.
    """
    config = read_json(directory / "config.json")
    for is_format, read in _FORMATS:
        if is_format(config):
            checkpoint = read(directory)
            require_complete(checkpoint)
            return checkpoint
    message = "config.json is neither Transformers' nor KerasHub's; use one of these formats."
    raise ModelLoadError(message)
