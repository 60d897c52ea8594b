"""Checkpoint formats: one file each, all yielding a `Checkpoint`.

Lives here: readers and writers, and what must be whole before a checkpoint is one. Knows files and
the shape of BERT. Does not know where files came from, or what runs them.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from model_store.checkpoints.checkpoint import Checkpoint, Variables
from model_store.checkpoints.completeness import (
    require_complete,
    require_matching_vocabulary,
    require_variables,
)
from model_store.checkpoints.files import read_json, read_vocabulary
from model_store.checkpoints.google_tf1 import is_google_tf1, read_google_tf1
from model_store.checkpoints.join import has_joined_head, read_joined
from model_store.checkpoints.keras.families import find_keras_family, is_keras_family
from model_store.checkpoints.keras.names import name_layer
from model_store.checkpoints.keras.preprocessor import read_preprocessor_config
from model_store.checkpoints.keras.preset import (
    is_keras_preset,
    read_keras_model,
    read_keras_preset,
)
from model_store.checkpoints.keras.writer import (
    write_keras_backbone,
    write_keras_model,
    write_keras_preprocessor,
    write_keras_preset,
)
from model_store.checkpoints.pooler import drop_unfit_pooler
from model_store.checkpoints.transformers import (
    is_transformers_config,
    read_tokenizer,
    read_transformers_dir,
    write_tokenizer,
    write_transformers_dir,
)
from model_store.checkpoints.transformers.families import find_family
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

__all__ = [
    "Checkpoint",
    "Variables",
    "is_keras_family",
    "name_layer",
    "read_checkpoint",
    "read_family",
    "read_model",
    "read_preprocessor_config",
    "read_tokenizer",
    "read_vocabulary",
    "write_keras_backbone",
    "write_keras_model",
    "write_keras_preprocessor",
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
    read = _find_reader(directory)(directory, weights=weights)
    checkpoint = replace(read, variables=drop_unfit_pooler(read.config, read.variables))
    if weights:
        require_complete(checkpoint)
    else:
        require_matching_vocabulary(checkpoint)
    return checkpoint


def read_model(
    directory: Path, *, weights: bool = True, head: bool = True
) -> tuple[EncoderConfig, Variables]:
    """Read a directory without its tokenizer, which a KerasHub preset may lack.

    Args:
        directory: where the files are.
        weights: whether to read them; else there are no variables.
        head: whether there is to be a masked-LM head.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: no format fits, or anything else is missing or broken.
    """
    if _find_reader(directory) is read_keras_preset:
        config, variables = read_keras_model(directory, weights=weights, head=head)
    else:
        read = _find_reader(directory)(directory, weights=weights)
        config, variables = read.config, read.variables
    if weights:
        require_variables(config, variables, head=head)
    return config, drop_unfit_pooler(config, variables)


def read_family(directory: Path) -> str | None:
    """Return the family of a directory's model by its config alone; None where it is not read."""
    try:
        if is_google_tf1(directory):
            return "bert"
        config = read_json(directory / "config.json")
        if is_keras_preset(config):
            return find_keras_family(config).name
        return find_family(config).name if is_transformers_config(config) else None
    except (ModelLoadError, OSError):
        return None


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
