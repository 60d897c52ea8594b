"""KerasHub's objects as Keras serialises them: backbone, tokenizer, preprocessor and task."""

from dataclasses import asdict, fields
from typing import Any

from model_store.checkpoints.keras.families import BEYOND, KerasFamily, Raw
from model_store.checkpoints.keras.names import name_layer
from model_store.checkpoints.keras.preprocessor import PREPROCESSOR
from model_store.encoder.config import EncoderConfig
from model_store.encoder.preprocessor_config import PreprocessorConfig

ADVICE = "write the Transformers format instead."


def describe_backbone(
    family: KerasFamily, config: EncoderConfig, padding: int | None
) -> tuple[Raw, Raw]:
    """Return a backbone, and what its class fixes otherwise than the config.

    Args:
        family: that of the config.
        config: the model's.
        padding: the id of the tokenizer's; None where there is none.

    Raises:
        ValueError: the model is none that the class could be.
    """
    try:
        raw = family.write_config(config)
        if padding is not None and "pad_token_id" in raw:
            raw["pad_token_id"] = padding
        said = family.read_config(raw)
    except ValueError as error:
        message = f"KerasHub's {family.backbone} cannot be this model: {error}; {ADVICE}"
        raise ValueError(message) from None
    names = [field.name for field in fields(config)]
    unsaid = {n: getattr(config, n) for n in names if getattr(config, n) != getattr(said, n)}
    unsayable = sorted(unsaid.keys() - set(BEYOND))
    if unsayable:
        named = " or ".join(unsayable)
        message = f"KerasHub's {family.backbone} has no {named} as this model has; {ADVICE}"
        raise ValueError(message)
    return _describe(family, family.backbone, raw), unsaid


def describe_tokenizer(family: KerasFamily, options: Raw) -> Raw:
    """Return a tokenizer with its options."""
    return _describe(family, family.tokenizer_class, {"config_file": "tokenizer.json", **options})


def describe_preprocessor(family: KerasFamily, settings: PreprocessorConfig, tokenizer: Raw) -> Raw:
    """Return a preprocessor with its tokenizer."""
    content = {"tokenizer": tokenizer, "config_file": PREPROCESSOR, **asdict(settings)}
    return _describe(family, family.preprocessor, content)


def describe_task(family: KerasFamily, backbone: Raw, preprocessor: Raw | None) -> Raw:
    """Return a masked LM of its parts."""
    return _describe(family, family.task, {"backbone": backbone, "preprocessor": preprocessor})


def _describe(family: KerasFamily, class_name: str, content: dict[str, Any]) -> Raw:
    """Return an object of a class, which lies in a module of its own."""
    name = name_layer(class_name)
    folder = name_layer(family.backbone.removesuffix("Backbone"))
    return {
        "module": f"keras_hub.src.models.{folder}.{name}",
        "class_name": class_name,
        "config": {"name": name, "trainable": True, **content},
        "registered_name": f"keras_hub>{class_name}",
    }
