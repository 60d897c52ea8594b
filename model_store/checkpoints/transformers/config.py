"""`config.json` of a masked LM, and how one is told from those of other models."""

from dataclasses import replace

from model_store.checkpoints.config_fields import explain_config, read_extra
from model_store.checkpoints.transformers.families.family import Family, Raw
from model_store.encoder.config import EncoderConfig
from model_store.errors import ModelLoadError

BEYOND = (
    "hidden_act",
    "layer_norm_epsilon",
    "dropout",
    "head_hidden_act",
    "head_layer_norm_epsilon",
)
"""What may stand in the object `fillmask` where a family has no field of its own for it.

Transformers does not look there, and its answers differ a little.
"""

_FIELDS = {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"}


def is_transformers_config(raw: Raw) -> bool:
    """Say whether a `config.json` is one of Transformers'; those of 2019 have no `model_type`."""
    return "model_type" in raw or raw.keys() >= _FIELDS or "architectures" in raw


def read_config(family: Family, raw: Raw, *, tied: bool) -> EncoderConfig:
    """Return the shape that a `config.json` describes.

    Raises:
        ModelLoadError: it is of a model that answers otherwise than a plain one of its family.
    """
    if raw.get("is_decoder"):
        message = (
            "config.json asks for relative positions or a decoder; "
            f"use a plain {family.title} encoder."
        )
        raise ModelLoadError(message)
    code = raw.get("auto_map")
    if isinstance(code, dict) and code.keys() & {"AutoModel", "AutoModelForMaskedLM"}:
        message = (
            "config.json names a model with code of its own (auto_map), which is never run; "
            f"use a plain {family.title} checkpoint."
        )
        raise ModelLoadError(message)
    if raw.get("quantization_config"):
        message = "config.json says that the weights are quantised; use those from before."
        raise ModelLoadError(message)
    config = family.read_config(raw, tied)
    extra = read_extra("config.json", raw)
    with explain_config("config.json"):
        return replace(config, **{name: extra[name] for name in BEYOND if name in extra})
