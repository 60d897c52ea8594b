"""What the classes have in common that are made from a preset."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from model_store.checkpoints import read_checkpoint, read_preprocessor_config
from model_store.encoder.config import EncoderConfig
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.fetching.catalog import CatalogEntry, read_catalog
from model_store.fetching.resolver import DEFAULT_DIRECTORY, resolve

__all__ = [
    "DEFAULT_DIRECTORY",
    "Catalogued",
    "find_files",
    "override",
    "read_preprocessing",
]


class _PresetsProperty:
    """Makes `presets` readable on a class, as in KerasHub."""

    def __get__(self, instance: Any, owner: type) -> Mapping[str, CatalogEntry]:
        return read_catalog()


class Catalogued:
    """Has the catalogue of presets as an attribute of the class."""

    presets = _PresetsProperty()


def find_files(preset: str | Path, *, directory: str | Path, offline: bool) -> Path:
    """Return the directory with a preset's files, fetching them where they are not here.

    Raises:
        ModelStoreError: there is no such preset, or its files cannot be had or are broken.
    """
    return resolve(str(preset), directory=Path(directory), offline=offline)


def read_preprocessing(files: Path) -> tuple[SubwordTokenizer, PreprocessorConfig]:
    """Read the tokenizer of a preset, and how its texts are preprocessed.

    A preset that does not say it takes rows as long as its model does.

    Raises:
        ModelStoreError: a file is missing or broken.
    """
    read = read_checkpoint(files, weights=False)
    longest = read.config.max_sequence_length
    settings = read_preprocessor_config(files) or PreprocessorConfig(sequence_length=longest)
    return read.tokenizer, settings


def override(
    config: EncoderConfig, options: dict[str, Any]
) -> tuple[EncoderConfig, dict[str, Any]]:
    """Return a config with the fields that are among the options, and the options that are left.

    Raises:
        ValueError: the config would make no sense.
    """
    names = {field.name for field in fields(EncoderConfig)}
    changed = {name: value for name, value in options.items() if name in names}
    rest = {name: value for name, value in options.items() if name not in names}
    return replace(config, **changed), rest
