"""What a family is: how its `config.json` and its tensors' names map onto the encoder."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from model_store.checkpoints.checkpoint import Array
from model_store.encoder.config import EncoderConfig

Tensors: TypeAlias = dict[str, Array]

Raw: TypeAlias = dict[str, Any]
"""The content of a `config.json`."""

Names: TypeAlias = Iterator[tuple[str, str]]
"""Tensors, and the paths of the variables that they fill; a `kernel` is a tensor's transpose."""


def keep(tensors: Tensors, raw: Raw) -> Tensors:
    """Return tensors as they are."""
    del raw
    return tensors


def keep_all(tensors: Tensors, config: EncoderConfig, padding: int) -> Tensors:
    """Return tensors as they are."""
    del config, padding
    return tensors


@dataclass(frozen=True, slots=True)
class Family:
    """One family of masked LMs as Transformers stores them.

    Attributes:
        name: its first `model_type`, and the `family` of its configs.
        title: what people call it.
        model_types: all that a `config.json` may say.
        prefix: what its encoder's tensors begin with, the dot included.
        bare: how their names go on, by which they are known where the prefix is missing.
        word_embeddings: the tensor of the token embeddings.
        decoder: the projection's tensor, where it is not the token embeddings.
        decoder_bias: a bias stored beside it, which counts before the one that `list_tensors` has.
        read_config: of a `config.json`, and of whether the projection is the token embeddings.
        list_tensors: every tensor that a config asks for.
        architecture: its class in Transformers.
        write_config: the fields that a config is read from, given the id of padding.
        arrange: cuts or renames stored tensors, by what a `config.json` says, where there is not
            one for each variable.
        restore: the inverse of `arrange`, of what a config asks for and the id of padding.
        skips_padding: whether padding takes no position where positions are learnt.
        spelled: its `model_type` and its class in Transformers where the vocabulary is spelled
            otherwise than the family's usual one.
    """

    name: str
    title: str
    model_types: tuple[str, ...]
    prefix: str
    bare: tuple[str, ...]
    word_embeddings: str
    decoder: str
    decoder_bias: str
    read_config: Callable[[Raw, bool], EncoderConfig]
    list_tensors: Callable[[EncoderConfig], Names]
    architecture: str
    write_config: Callable[[EncoderConfig, int], Raw]
    arrange: Callable[[Tensors, Raw], Tensors] = keep
    restore: Callable[[Tensors, EncoderConfig, int], Tensors] = keep_all
    skips_padding: bool = False
    spelled: Mapping[type, tuple[str, str]] = field(default_factory=dict)

    def name_class(self, spelling: object) -> tuple[str, str]:
        """Return the `model_type` and the class in Transformers of a model with a vocabulary."""
        return self.spelled.get(type(spelling), (self.name, self.architecture))

    def has_class(self, name: str) -> bool:
        """Say whether a class of Transformers is the family's, for configs with no `model_type`."""
        return bool(
            re.fullmatch(rf"{self.title}(Model|LMHeadModel|For[A-Z]\w*)", name, re.IGNORECASE)
        )
