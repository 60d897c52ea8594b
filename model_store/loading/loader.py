"""A directory becomes a model that answers: as converted for OpenVINO, or through Keras."""

from dataclasses import replace
from pathlib import Path

from model_store.engines import EngineOptions, is_for_openvino
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import EngineUnavailableError
from model_store.errors.failures import describe, reading
from model_store.loading.converted_loader import load_converted
from model_store.loading.load_news import LoadNews, Report, tell_nobody

_DEFAULTS = EngineOptions()


def load_fill_mask_model(
    directory: Path, options: EngineOptions = _DEFAULTS, report: Report = tell_nobody
) -> FillMaskModel:
    """Make the model of a checkpoint directory ready, in the precision that suits it.

    Where the fastest engine cannot be had, `auto` takes the next one, and says so.

    Args:
        directory: the files.
        options: what is to run them.
        report: told what takes long, and what has to be done without.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        EngineUnavailableError: the engine that is asked for is not here, or fails on them.
        ModelLoadError: anything else is missing, broken or does not fit together, or the machine
            cannot run it as it is asked to.
    """
    with reading(directory):
        if not is_for_openvino(options.name):
            return _load_with_keras(directory, options)
        try:
            return load_converted(directory, options, report)
        except EngineUnavailableError as error:
            if options.name != "auto":
                raise
            reason = str(error)
        model = _load_with_keras(directory, options)
        notice = f"{directory.name} runs on {model.engine}, which is slower: {reason}"
        model.facts = replace(model.facts, notice=notice)
        report(LoadNews("engine_unavailable", notice))
        return model


def _load_with_keras(directory: Path, options: EngineOptions) -> FillMaskModel:
    # Keras takes seconds to import, and a converted model does without it.
    try:
        from model_store.loading.keras_loader import load_with_keras  # noqa: PLC0415
    except ImportError as error:
        message = (
            f"Keras cannot be imported ({describe(error)}); install what is missing, or take what "
            "is there by FILLMASK_ENGINE, or by engine= and KERAS_BACKEND in Python."
        )
        raise EngineUnavailableError(message) from error
    return load_with_keras(directory, options)
