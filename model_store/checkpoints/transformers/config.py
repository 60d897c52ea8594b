"""`config.json` of a BERT masked LM, and how one is told from those of other models."""

import re
import reprlib
from typing import Any

from model_store.checkpoints.config_fields import read_config_fields
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

_ARCHITECTURE = re.compile(r"Bert(Model|LMHeadModel|For[A-Z]\w*)")
_FIELDS = {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"}


def is_transformers_config(raw: dict[str, Any]) -> bool:
    """Say whether a `config.json` is one of Transformers'; those of 2019 have no `model_type`."""
    return "model_type" in raw or raw.keys() >= _FIELDS or "architectures" in raw


def read_bert_config(raw: dict[str, Any], *, tied: bool) -> EncoderConfig:
    """Return the shape that a `config.json` describes.

    Raises:
        ModelLoadError: it is of another model, or of one that answers otherwise than a plain BERT.
    """
    _require_bert(raw)
    if raw.get("position_embedding_type", "absolute") != "absolute" or raw.get("is_decoder"):
        message = "config.json asks for relative positions or a decoder; use a plain BERT encoder."
        raise ModelLoadError(message)
    code = raw.get("auto_map")
    if isinstance(code, dict) and code.keys() & {"AutoModel", "AutoModelForMaskedLM"}:
        message = (
            "config.json names a model with code of its own (auto_map), which is never run; "
            "use a plain BERT checkpoint."
        )
        raise ModelLoadError(message)
    if raw.get("quantization_config"):
        message = "config.json says that the weights are quantised; use those from before."
        raise ModelLoadError(message)
    return read_config_fields("config.json", raw, tied=tied)


def _require_bert(raw: dict[str, Any]) -> None:
    """Check that the model is a BERT: by its type, or else by the name of its class.

    Where neither is given, the names of the weights tell.
    """
    given = raw.get("model_type", "bert")
    if given != "bert":
        message = f"config.json describes a {reprlib.repr(given)} model; use a BERT checkpoint."
        raise ModelLoadError(message)
    architectures = raw.get("architectures") or []
    if "model_type" in raw or not isinstance(architectures, list):
        return
    if not any(_ARCHITECTURE.fullmatch(str(name)) for name in architectures or ["BertModel"]):
        described = reprlib.repr(architectures)
        message = f"config.json describes a model of {described}; use a BERT checkpoint."
        raise ModelLoadError(message)
