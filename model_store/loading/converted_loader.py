"""A directory becomes a model that answers, as converted for OpenVINO."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_store.checkpoints import read_tokenizer
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.engines import EngineOptions, Precision
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.errors import (
    EngineUnavailableError,
    InferenceError,
    ModelLoadError,
    ModelStoreError,
)
from model_store.errors.failures import running
from model_store.loading.converted_models import Conversion, open_converted
from model_store.loading.kept_tuning import load_tuned
from model_store.loading.load_news import Report
from model_store.loading.proving.head_proof_file import read_texts
from model_store.loading.proving.proven_head import passes_again

_NAME = "OpenVINO"
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


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
            model = _read(directory, converted, options, report)
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
        "take an engine of Keras by FILLMASK_ENGINE, or by engine= in Python."
    )
    raise EngineUnavailableError(message)


def _read(
    directory: Path, converted: Conversion, options: EngineOptions, report: Report
) -> FillMaskModel:
    """Make a model of a conversion, in the precision that is known or measured to suit it."""
    engine = _import_engine()
    facts = json.loads((converted.directory / "facts.json").read_text("utf-8"))
    tokenizer = _read_tokenizer(converted.directory)
    compiled = converted.directory / "compiled" if converted.is_kept else None

    def load(precision: Precision) -> FillMaskModel:
        nbytes = facts["parameters"] * _BYTES[precision]
        return FillMaskModel(
            engine.OpenVINOEngine(converted.directory / "model.xml", precision, compiled),
            tokenizer,
            ModelFacts(**facts, nbytes=nbytes, precision=precision),
        )

    return load_tuned(
        load,
        options.precision,
        engine.list_precisions(),
        read_texts(directory),
        machine=engine.describe_machine(),
        converted=converted,
        report=report,
    )


def _read_tokenizer(converted: Path) -> SubwordTokenizer:
    try:
        return read_tokenizer(converted)
    except ModelLoadError as error:
        # Its sentence speaks of the preset's files, and these are not.
        raise ValueError(str(error)) from error


def _import_engine() -> Any:
    """Return the module of the engine, which not everybody has.

    Raises:
        EngineUnavailableError: it cannot be imported.
    """
    try:
        from model_store.engines import openvino  # noqa: PLC0415
    except ImportError as error:
        message = (
            "OpenVINO is not installed; install it, or take another engine by FILLMASK_ENGINE, or "
            "by engine= in Python."
        )
        raise EngineUnavailableError(message) from error
    return openvino


def _require_precision(wanted: Precision, available: Sequence[Precision]) -> None:
    if wanted not in {"auto", *available}:
        message = (
            f"This machine has no {wanted} to compute in, only {', '.join(available)}; "
            "take one of these, or auto, by FILLMASK_PRECISION, or by precision= in Python."
        )
        raise ModelLoadError(message)
