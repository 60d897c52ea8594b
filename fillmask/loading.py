"""A name becomes a loaded model."""

import warnings
from pathlib import Path
from typing import get_args

from fillmask.loaded_model import LoadedModel
from model_store.engines import EngineName, EngineOptions, Precision
from model_store.errors import EngineUnavailableError, ModelLoadError
from model_store.errors.failures import reading
from model_store.fetching.resolver import DEFAULT_DIRECTORY, resolve
from model_store.loading.converted_models import DEFAULT_CACHE
from model_store.loading.load_news import LoadNews
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.proving.proven_head import require_proven_head


def load(
    preset: str | Path,
    *,
    engine: EngineName = "auto",
    precision: Precision = "auto",
    directory: str | Path = DEFAULT_DIRECTORY,
    offline: bool = False,
    cache_directory: str | Path | None = DEFAULT_CACHE,
) -> LoadedModel:
    """Read a preset's files and make it ready; takes seconds, and more at the first time.

        >>> model = fillmask.load("minilm_l6_en_uncased")
        >>> model = fillmask.load("models/market", precision="float32")

    The environment of the server does not count here. What the load has to do without is warned
    of.

    Args:
        preset: a name, a hub's handle (`hf://user/name`), or a directory with a checkpoint.
        engine: what runs it; `auto` takes the fastest for the machine.
        precision: what is computed in; `auto` takes the fastest that answers like float32.
        directory: the store in which fetched presets lie, and whose directories are presets.
        offline: whether nothing is fetched.
        cache_directory: where converted models are kept; None converts at every load.

    Raises:
        PresetNotFoundError: there is no such name, and no such directory.
        PresetUnavailableError: its files cannot be had.
        HeadMissingError: it has no masked-LM head.
        HeadUnprovenError: the head that it has is no better than chance.
        EngineUnavailableError: the engine that is asked for is not here, or fails on it.
        ModelLoadError: its files are broken, or cannot be read.
    """
    _require_known(engine, precision)
    cache = None if cache_directory is None else Path(cache_directory)
    files = resolve(str(preset), directory=Path(directory), offline=offline)
    with reading(files):
        model = load_fill_mask_model(files, EngineOptions(engine, precision, cache), _warn)
        require_proven_head(model, files)
    return LoadedModel(str(preset), model)


def _require_known(engine: str, precision: str) -> None:
    if engine not in get_args(EngineName):
        message = f"There is no engine {engine!r}; use {', '.join(get_args(EngineName))}."
        raise EngineUnavailableError(message)
    if precision not in get_args(Precision):
        message = f"There is no precision {precision!r}; use {', '.join(get_args(Precision))}."
        raise ModelLoadError(message)


def _warn(news: LoadNews) -> None:
    if news.is_trouble:
        # The level of whoever calls `load` differs by what tells it: the sentence says it all.
        warnings.warn(news.sentence, RuntimeWarning, stacklevel=2)
