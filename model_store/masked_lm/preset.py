"""What the classes have in common that are made from a preset."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from model_store.checkpoints import name_layer, read_checkpoint, read_preprocessor_config
from model_store.encoder.config import EncoderConfig
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.fetching.catalog import CatalogEntry, read_catalog
from model_store.fetching.resolver import DEFAULT_DIRECTORY, resolve

__all__ = [
    "DEFAULT_DIRECTORY",
    "Catalogued",
    "find_files",
    "name_model",
    "override",
    "read_preprocessing",
]


T = TypeVar("T")


class _PresetsProperty:
    """Makes `presets` readable on a class, as in KerasHub."""

    def __get__(self, instance: Any, owner: type["Catalogued"]) -> Mapping[str, CatalogEntry]:
        listed = read_catalog().items()
        return {name: entry for name, entry in listed if owner.family in {"", entry.family}}


class Catalogued:
    """Is made from presets: of one family, or, where `family` is empty, of any.

    Attributes:
        presets: those of the catalogue that it is made from, by name.
        family: the `EncoderConfig.family` of its presets.
        spelling: what tells the tokenizers of two that have one family; None for the usual.
        has_segments: whether texts are given with the segment of each token.
        separators: how many tokens stand between two segments.
    """

    presets = _PresetsProperty()
    family: ClassVar[str] = ""
    spelling: ClassVar[type | None] = None
    has_segments: ClassVar[bool] = True
    separators: ClassVar[int] = 1

    @classmethod
    def find_class(cls, family: str, tokenizer: SubwordTokenizer | None = None) -> type[Self]:
        """Return the class for a family: this one, or the one of that family below it.

        Args:
            family: of an `EncoderConfig`.
            tokenizer: of the preset, where it is known.

        Raises:
            ValueError: this is a class of another family.
        """
        if cls.family == family:
            return cls
        found = [] if cls.family else [each for each in _list_below(cls) if each.family == family]
        if not found:
            message = (
                f"{cls.__name__} is of the family {cls.family!r} and the model of {family!r}; "
                "use fillmask.MaskedLM and its kin, which take any."
            )
            raise ValueError(message)
        spelling = tokenizer and tokenizer.spelling
        fitting = [each for each in found if each.spelling and isinstance(spelling, each.spelling)]
        return (fitting or found)[0]


def _list_below(cls: type[T]) -> Iterator[type[T]]:
    """Yield the classes that are made of one, those nearest first."""
    for below in cls.__subclasses__():
        yield below
        yield from _list_below(below)


def name_model(kind: type) -> str:
    """Return a class's name as its models have it."""
    return name_layer(kind.__name__)


def find_files(preset: str | Path, *, directory: str | Path, offline: bool) -> Path:
    """Return the directory with a preset's files, fetching them where they are not here.

    Raises:
        ModelStoreError: there is no such preset, or its files cannot be had or are broken.
    """
    return resolve(str(preset), directory=Path(directory), offline=offline)


def read_preprocessing(files: Path) -> tuple[str, SubwordTokenizer, PreprocessorConfig]:
    """Read the family and the tokenizer of a preset, and how its texts are preprocessed.

    A preset that does not say it takes rows as long as its model does.

    Raises:
        ModelStoreError: a file is missing or broken.
    """
    read = read_checkpoint(files, weights=False)
    longest = read.config.max_sequence_length
    settings = read_preprocessor_config(files) or PreprocessorConfig(sequence_length=longest)
    return read.config.family, read.tokenizer, settings


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
