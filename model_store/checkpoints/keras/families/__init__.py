"""The families of masked LMs that are read from KerasHub's presets.

Lives here: a file a family, which says what its classes fix, how their fields and datasets map onto
the encoder, and which tokenizer is theirs; and the table of them all. Knows the encoder's config.
Does not know its layers.
"""

import reprlib

from model_store.checkpoints.keras.families.albert import ALBERT
from model_store.checkpoints.keras.families.bert import BERT
from model_store.checkpoints.keras.families.distilbert import DISTILBERT
from model_store.checkpoints.keras.families.esm import ESM
from model_store.checkpoints.keras.families.family import BEYOND, KerasFamily, Raw
from model_store.checkpoints.keras.families.roberta import ROBERTA, XLM_ROBERTA
from model_store.errors import ModelLoadError

__all__ = [
    "BEYOND",
    "KERAS_FAMILIES",
    "KerasFamily",
    "Raw",
    "find_keras_family",
    "find_keras_family_by_name",
    "is_keras_family",
]

KERAS_FAMILIES = (BERT, DISTILBERT, ROBERTA, XLM_ROBERTA, ALBERT, ESM)


def find_keras_family(raw: Raw) -> KerasFamily:
    """Return the family of a `config.json` by the class of its backbone.

    Raises:
        ModelLoadError: it is of no family that is known.
    """
    given = raw.get("class_name")
    for family in KERAS_FAMILIES:
        if family.backbone == given:
            return family
    known = ", ".join(family.backbone for family in KERAS_FAMILIES)
    message = f"config.json describes a {reprlib.repr(given)}; use a preset of one of {known}."
    raise ModelLoadError(message)


def is_keras_family(name: str) -> bool:
    """Say whether KerasHub has masked LMs of a family."""
    return any(family.name == name for family in KERAS_FAMILIES)


def find_keras_family_by_name(name: str, spelling: type | None = None) -> KerasFamily:
    """Return how KerasHub stores the models of a family.

    Args:
        name: the `family` of their configs.
        spelling: that of the vocabulary, which tells classes of one family; None for the usual.

    Raises:
        ValueError: KerasHub has no masked LM of it.
    """
    found = [family for family in KERAS_FAMILIES if family.name == name]
    if not found:
        message = (
            f"KerasHub has no masked LM of the family {name!r}; "
            "save the masked LM whole, in Transformers' format."
        )
        raise ValueError(message)
    return next((family for family in found if family.tokenizer.spelling is spelling), found[0])
