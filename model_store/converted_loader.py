"""A directory becomes a model that answers, as converted for OpenVINO."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model_store.checkpoints import read_tokenizer
from model_store.checkpoints.files import write_json
from model_store.converted_models import Conversion, open_converted
from model_store.engines import EngineOptions, Precision
from model_store.errors import (
    EngineUnavailableError,
    InferenceError,
    ModelLoadError,
    ModelStoreError,
)
from model_store.failures import running
from model_store.fill_mask import FillMaskModel, ModelFacts
from model_store.load_news import LoadNews, Report
from model_store.proven_head import passes_again
from model_store.tuning import tune

_NAME = "OpenVINO"
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_TUNED = ("precision", "agreement", "batch_tokens")


class DamagedError(Exception):
    """A conversion, or what OpenVINO made of it, is not what it was; nobody hears of it."""


def load_converted(directory: Path, options: EngineOptions, report: Report) -> FillMaskModel:
    """Read a converted preset, converting it where that is not done, or was done badly.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        EngineUnavailableError: OpenVINO is not here, or cannot convert or run them.
        ModelLoadError: anything else is missing, broken or does not fit together, or the machine
            does not compute in the precision that is asked for.
    """
    with running(_NAME, directory.name):
        engine = _import_engine()
        _require_precision(options.precision, engine.list_precisions())
        try:
            return _load(directory, options, report, anew=False)
        except DamagedError:
            return _load(directory, options, report, anew=True)


def _load(directory: Path, options: EngineOptions, report: Report, *, anew: bool) -> FillMaskModel:
    with open_converted(directory, options.cache_directory, report, anew=anew) as converted:
        try:
            model = _read(converted, options, report)
            is_the_same = passes_again(model, directory)
        except InferenceError as error:
            if converted.is_new:
                raise
            raise DamagedError from error
        except (ModelStoreError, MemoryError):
            raise
        except Exception as error:
            # Whatever it is, a conversion of just now may be without it.
            if converted.is_new:
                raise
            raise DamagedError from error
    if is_the_same:
        return model
    if not converted.is_new:
        raise DamagedError
    message = (
        f"{_NAME} answers otherwise than {directory.name} did when its head was proven; "
        "set FILLMASK_ENGINE to an engine of Keras."
    )
    raise EngineUnavailableError(message)


def _read(converted: Conversion, options: EngineOptions, report: Report) -> FillMaskModel:
    """Make a model of a conversion, in the precision that is known or measured to suit it."""
    engine = _import_engine()
    facts = json.loads((converted.directory / "facts.json").read_text("utf-8"))
    tokenizer = read_tokenizer(converted.directory)
    compiled = converted.directory / "compiled" if converted.is_kept else None

    def load(precision: Precision) -> FillMaskModel:
        nbytes = facts["parameters"] * _BYTES[precision]
        return FillMaskModel(
            engine.OpenVINOEngine(converted.directory / "model.xml", precision, compiled),
            tokenizer,
            ModelFacts(**facts, nbytes=nbytes, precision=precision),
        )

    available = engine.list_precisions()
    path = converted.directory / "tuning.json"
    machine = f"{engine.describe_machine()}, {options.precision}"
    tuned = _read_tuned(path, machine)
    if tuned.get("precision") in available:
        model = load(tuned["precision"])
        model.facts = replace(model.facts, **tuned)
        return model
    report(LoadNews("measuring", "what suits this machine best is measured, which is done once"))
    model = tune(load, options.precision, available)
    if converted.is_kept:
        _write_tuned(path, machine, model.facts)
    return model


def _import_engine() -> Any:
    """Return the module of the engine, which not everybody has.

    Raises:
        EngineUnavailableError: it cannot be imported.
    """
    try:
        from model_store.engines import openvino  # noqa: PLC0415
    except ImportError as error:
        message = "OpenVINO is not installed; install it, or set FILLMASK_ENGINE to another one."
        raise EngineUnavailableError(message) from error
    return openvino


def _require_precision(wanted: Precision, available: Sequence[Precision]) -> None:
    if wanted not in {"auto", *available}:
        message = (
            f"This machine has no {wanted} to compute in, only {', '.join(available)}; "
            "set FILLMASK_PRECISION to one of these, or to auto."
        )
        raise ModelLoadError(message)


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
