"""A directory becomes a model that answers: through Keras, or as converted for OpenVINO."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from model_store.checkpoints import read_tokenizer
from model_store.checkpoints.files import write_json
from model_store.converted_models import can_write, open_converted
from model_store.engines import EngineOptions, Precision, choose_engine
from model_store.errors import ModelLoadError
from model_store.fill_mask import FillMaskModel, ModelFacts
from model_store.tuning import tune

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_DEFAULTS = EngineOptions()
_TUNED = ("precision", "agreement", "batch_tokens")


def load_fill_mask_model(directory: Path, options: EngineOptions = _DEFAULTS) -> FillMaskModel:
    """Make the model of a checkpoint directory ready, in the precision that suits it.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together, or the machine
            cannot run it as it is asked to.
    """
    if choose_engine(options.name) == "openvino":
        return _load_converted(directory, options)
    # Keras takes seconds to import, and a converted model does without it.
    from model_store.keras_loader import load_with_keras  # noqa: PLC0415

    return load_with_keras(directory, options)


def _load_converted(directory: Path, options: EngineOptions) -> FillMaskModel:
    try:
        from model_store.engines import openvino as engine  # noqa: PLC0415  # not everybody has it
    except ImportError as error:
        message = "OpenVINO is not installed; install it, or set FILLMASK_ENGINE to another one."
        raise ModelLoadError(message) from error
    with open_converted(directory, options.cache_directory) as converted:
        # The image of a container may bring a cache that nobody can write to.
        is_writable = can_write(converted)
        compiled = converted / "compiled" if is_writable else None
        facts = json.loads((converted / "facts.json").read_text("utf-8"))
        tokenizer = read_tokenizer(converted)

        def load(precision: Precision) -> FillMaskModel:
            nbytes = facts["parameters"] * _BYTES[precision]
            return FillMaskModel(
                engine.OpenVINOEngine(converted / "model.xml", precision, compiled),
                tokenizer,
                ModelFacts(**facts, nbytes=nbytes, precision=precision),
            )

        available = engine.list_precisions()
        if options.precision not in {"auto", *available}:
            message = (
                f"This machine has no {options.precision} to compute in, only "
                f"{', '.join(available)}; set FILLMASK_PRECISION to one of these, or to auto."
            )
            raise ModelLoadError(message)
        path = converted / "tuning.json"
        machine = f"{engine.describe_machine()}, {options.precision}"
        tuned = _read_tuned(path, machine)
        if tuned:
            model = load(tuned["precision"])
            model.facts = replace(model.facts, **tuned)
            return model
        model = tune(load, options.precision, available)
        if is_writable:
            _write_tuned(path, machine, model.facts)
        return model


def _read_tuned(path: Path, machine: str) -> dict[str, Any]:
    """Return what was measured on this machine, as fields of `ModelFacts`; empty if nothing was."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text("utf-8"))[machine]
        return {name: stored[name] for name in _TUNED}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_tuned(path: Path, machine: str, facts: ModelFacts) -> None:
    """Keep what was measured; another machine that shares the cache measures anew."""
    partial = path.with_name(f".{path.name}")
    write_json(partial, {machine: {name: getattr(facts, name) for name in _TUNED}})
    partial.replace(path)
