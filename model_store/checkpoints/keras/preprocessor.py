"""`preprocessor.json` of a KerasHub preset: how the texts of a masked LM become rows."""

import reprlib
from dataclasses import fields
from pathlib import Path

from model_store.checkpoints.config_fields import read_object
from model_store.checkpoints.files import read_json
from model_store.checkpoints.keras.families import KERAS_FAMILIES
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.errors import ModelLoadError

PREPROCESSOR = "preprocessor.json"
_CLASSES = {family.preprocessor for family in KERAS_FAMILIES}


def read_preprocessor_config(directory: Path) -> PreprocessorConfig | None:
    """Return what a preset says of preprocessing, or None where it says nothing.

    The preprocessor of another task, which KerasHub does not take for this one either, says
    nothing.

    Raises:
        ModelLoadError: the file is broken.
    """
    path = directory / PREPROCESSOR
    if not path.is_file():
        return None
    raw = read_json(path)
    if str(raw.get("class_name")) not in _CLASSES:
        return None
    said = read_object(PREPROCESSOR, raw, "config")
    known = {field.name: field.type for field in fields(PreprocessorConfig)}
    settings = {name: said[name] for name in known if name in said}
    for name, value in settings.items():
        allowed = (int, float) if known[name] is float else (known[name],)
        if type(value) not in allowed:
            shown = reprlib.repr(value)
            message = f"The {name} of {PREPROCESSOR} is {shown}; fetch it again, or delete it."
            raise ModelLoadError(message)
    return PreprocessorConfig(**settings)
