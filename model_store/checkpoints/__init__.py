"""Checkpoint formats: one file each, all yielding a `Checkpoint`."""

from pathlib import Path

from model_store.checkpoints.checkpoint import Checkpoint
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
    """Read a directory in whichever format its `config.json` is of.

    Raises:
        ModelLoadError: no format fits, or a file is missing or broken.
    """
    config = read_json(directory / "config.json")
    for is_format, read in _FORMATS:
        if is_format(config):
            return read(directory)
    message = "config.json is neither Transformers' nor KerasHub's; use one of these formats."
    raise ModelLoadError(message)
