"""The families of masked LMs that are read from Transformers' files.

Lives here: a file a family, which says how its `config.json` and its tensors' names map onto the
encoder, and the table of them all. Knows the encoder's config. Does not know its layers.
"""

import reprlib

from model_store.checkpoints.transformers.families.albert import ALBERT
from model_store.checkpoints.transformers.families.bert import BERT
from model_store.checkpoints.transformers.families.distilbert import DISTILBERT
from model_store.checkpoints.transformers.families.electra import ELECTRA
from model_store.checkpoints.transformers.families.esm import ESM
from model_store.checkpoints.transformers.families.family import Family, Raw
from model_store.checkpoints.transformers.families.modernbert import MODERNBERT
from model_store.checkpoints.transformers.families.roberta import ROBERTA
from model_store.errors import ModelLoadError

FAMILIES = (BERT, DISTILBERT, ELECTRA, ROBERTA, ALBERT, MODERNBERT, ESM)

_BY_TYPE = {kind: family for family in FAMILIES for kind in family.model_types}


def find_family(raw: Raw) -> Family:
    """Return the family of a `config.json`: by its type, or else by the name of its class.

    Where neither is given, it is BERT, and the names of the weights tell.

    Raises:
        ModelLoadError: it is of no family that is known.
    """
    given = raw.get("model_type", "bert")
    if "model_type" in raw or not isinstance(raw.get("architectures") or [], list):
        family = _BY_TYPE.get(given) if isinstance(given, str) else None
        described = f"a {reprlib.repr(given)} model"
    else:
        classes = raw.get("architectures") or ["BertModel"]
        found = (each for each in FAMILIES if any(each.has_class(str(name)) for name in classes))
        family = next(found, None)
        described = f"a model of {reprlib.repr(classes)}"
    if family is None:
        message = f"config.json describes {described}; use one of {', '.join(sorted(_BY_TYPE))}."
        raise ModelLoadError(message)
    return family


def find_by_name(name: str) -> Family:
    """Return the family of a config by its `family`."""
    return _BY_TYPE[name]
