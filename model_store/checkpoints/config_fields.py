"""A config in the words of Google's `bert_config.json`, which Transformers' `config.json` kept."""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

from model_store.encoder.config import EncoderConfig, HiddenAct
from model_store.errors import ModelLoadError

EXTRA = "fillmask"
"""The key of a `config.json` under which stands what its format has no field for."""

_ACTIVATIONS: dict[str, HiddenAct] = {
    **{name: name for name in get_args(HiddenAct)},
    "gelu_python": "gelu",
    "gelu_accurate": "gelu_new",
    "gelu_fast": "gelu_new",
    "gelu_python_tanh": "gelu_new",
    "gelu_pytorch_tanh": "gelu_new",
    "swish": "silu",
}
"""Every name of Transformers' table whose function has no weights of its own."""


def read_config_fields(name: str, raw: dict[str, Any], *, tied: bool) -> EncoderConfig:
    """Return the config that the fields of the file `name` describe.

    Raises:
        ModelLoadError: a field is missing, or is nothing that a BERT can be.
    """
    hidden_act = read_activation(name, raw)
    epsilon = _read_epsilon(raw)
    with explain_config(name):
        return EncoderConfig(
            vocabulary_size=raw["vocab_size"],
            num_layers=raw["num_hidden_layers"],
            num_heads=raw["num_attention_heads"],
            hidden_dim=raw["hidden_size"],
            intermediate_dim=raw["intermediate_size"],
            max_sequence_length=raw.get("max_position_embeddings", 512),
            num_segments=raw.get("type_vocab_size", 2),
            dropout=raw.get("hidden_dropout_prob", 0.1),
            hidden_act=hidden_act,
            layer_norm_epsilon=epsilon,
            head_hidden_act=hidden_act,
            head_layer_norm_epsilon=epsilon,
            tie_word_embeddings=tied,
        )


@contextmanager
def explain_config(name: str) -> Iterator[None]:
    """Turn what is missing or wrong in the config file `name` into a `ModelLoadError`."""
    try:
        yield
    except KeyError as error:
        message = f"{name} has no {error}; take it from the original checkpoint."
        raise ModelLoadError(message) from None
    except ValueError as error:
        message = f"{name} cannot be used: {error}; take it from the original checkpoint."
        raise ModelLoadError(message) from None


def write_config_fields(config: EncoderConfig) -> dict[str, Any]:
    """Return the fields that describe a config; the inverse of `read_config_fields`."""
    return {
        "vocab_size": config.vocabulary_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": config.max_sequence_length,
        "type_vocab_size": config.num_segments,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "hidden_act": config.hidden_act,
        "layer_norm_eps": config.layer_norm_epsilon,
        "tie_word_embeddings": config.tie_word_embeddings,
    }


def read_extra(name: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Return what a config says beyond its format's own fields.

    Raises:
        ModelLoadError: it is no object.
    """
    return read_object(name, raw, EXTRA)


def read_object(name: str, raw: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object under a key of the file `name`, empty where there is none.

    Raises:
        ModelLoadError: it is no object.
    """
    content = raw.get(key, {})
    if not isinstance(content, dict):
        message = f"The {key!r} of {name} is no JSON object; fetch it again."
        raise ModelLoadError(message)
    return content


def _read_epsilon(raw: dict[str, Any]) -> Any:
    """Return LayerNorm's epsilon, which some write as a text; no number is refused later."""
    epsilon = raw.get("layer_norm_eps", 1e-12)
    try:
        return float(epsilon) if isinstance(epsilon, str) else epsilon
    except ValueError:
        return epsilon


def read_activation(name: str, raw: dict[str, Any], field: str = "hidden_act") -> HiddenAct:
    """Return the activation that a field names, GELU where it is missing.

    Raises:
        ModelLoadError: it is unknown, or has weights of its own.
    """
    given = raw.get(field, "gelu")
    hidden_act = _ACTIVATIONS.get(given) if isinstance(given, str) else None
    if hidden_act is None:
        message = (
            f"{name} asks for the activation {reprlib.repr(given)}, which is unknown or has "
            f"weights of its own; known are {', '.join(sorted(_ACTIVATIONS))}."
        )
        raise ModelLoadError(message)
    return hidden_act


def read_count(fields: dict[str, Any], name: str) -> int:
    """Return a field that counts something.

    Raises:
        ValueError: it is no positive number.
    """
    count = fields[name]
    if type(count) is not int or count < 1:
        message = f"{name} is {reprlib.repr(count)}, which is no number from 1 on"
        raise ValueError(message)
    return count


def read_base(fields: dict[str, Any], name: str) -> float:
    """Return a field that is the base of a rotation.

    Raises:
        ValueError: it is no number.
    """
    base = fields[name]
    if type(base) not in {int, float}:
        message = f"{name} is {reprlib.repr(base)}, which is no number"
        raise ValueError(message)
    return float(base)
