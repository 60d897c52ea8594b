"""What loads and runs models, all in one process: the cache, its threads, states and metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from model_store.engines.fill_mask import ModelFacts
from model_store.loading.load_news import LoadNews
from model_store.store import ModelStore
from service.errors.exceptions import ShuttingDownError
from service.errors.table import outcome
from service.models.cache_records import CacheEvent, CacheRecord
from service.models.model_cache import ModelCache
from service.models.preset_states import PresetStates
from service.models.served_model import PresetFetcher, ServedModel, ServedModelLoader
from service.processes.owned_task import owned_task
from service.scheduling.batch_records import BatchLimits
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.telemetry.preset_log import PresetLog
from service.telemetry.terminal import Terminal

_FETCHES = 2
"""How many presets are fetched at a time."""


@dataclass(frozen=True, slots=True)
class ModelHost:
    """The parts that others use."""

    models: ModelCache[ServedModel]
    preset_states: PresetStates
    metrics: Metrics
    engine_thread: Executor

    async def pass_engine(self) -> None:
        """Return when the engine's thread has done what it was given: never, where it hangs."""
        await asyncio.get_running_loop().run_in_executor(self.engine_thread, bool)


@asynccontextmanager
async def open_model_host(
    settings: Settings, store: ModelStore, create_metrics: Callable[..., Metrics] = Metrics
) -> AsyncIterator[ModelHost]:
    """Put the parts together; at the end, requests are answered and models closed.

    What is to be loaded at start is loaded meanwhile.

    Args:
        settings: of the whole service.
        store: where models come from.
        create_metrics: makes what counts, of what `Metrics` is made of.
    """
    async with AsyncExitStack() as stack:
        engine_thread = stack.enter_context(ThreadPoolExecutor(1, "engine"))
        loader_thread = stack.enter_context(ThreadPoolExecutor(1, "loader"))
        fetcher = PresetFetcher(store, stack.enter_context(ThreadPoolExecutor(_FETCHES, "fetcher")))
        stack.callback(fetcher.stop)
        metrics = create_metrics(
            outcome=outcome,
            queue_size=lambda: sum(model.queue_size for model in models.ready().values()),
            queue_age=lambda: max(
                (model.oldest_seconds for model in models.ready().values()), default=0.0
            ),
            preset_states=lambda: states.states(),  # noqa: PLW0108  # they come later
            configured=settings.configured_presets,
        )
        log, terminal = PresetLog(), Terminal()
        stack.callback(terminal.clear)

        def hear(preset: str, news: LoadNews) -> None:
            log.hear(preset, news)
            if not news.is_trouble:
                terminal.show(news.sentence)

        loader = ServedModelLoader(
            store,
            engine_thread=engine_thread,
            loader_thread=loader_thread,
            limits=partial(_batch_limits, settings),
            max_bytes=settings.max_loaded_bytes,
            observe=metrics.observe_batch,
            report=hear,
        )

        def observe(record: CacheRecord) -> None:
            if record.event in {CacheEvent.LOAD, CacheEvent.FAILURE}:
                terminal.clear()
            metrics.observe_cache(record)
            log.observe(record)

        models: ModelCache[ServedModel] = ModelCache(
            loader.load,
            max_models=settings.max_loaded_presets,
            max_bytes=settings.max_loaded_bytes,
            observe=observe,
            prepare=fetcher.fetch,
            pinned=settings.pinned_presets,
        )
        states: PresetStates = PresetStates(
            store, models, lambda: fetcher.downloading, settings.configured_presets
        )
        warm_up = _warm_up(settings, models, terminal)
        await stack.enter_async_context(owned_task(warm_up))
        # Before anything is waited for: a server that ends takes no request any more.
        stack.push_async_callback(models.close)
        yield ModelHost(models, states, metrics, engine_thread)


async def _warm_up(settings: Settings, models: ModelCache[ServedModel], terminal: Terminal) -> None:
    """Load what is to be there from the start, and say when the default preset is."""
    default = settings.default_preset
    if settings.preload:
        await _load_all(models, (default,))
    if not settings.preload or default in models.ready():
        terminal.announce(settings)
    await _load_all(models, settings.pinned_presets)


async def _load_all(models: ModelCache[ServedModel], names: Iterable[str]) -> None:
    """Load one after the other; one that cannot be loaded is in nobody's way."""
    for name in names:
        try:
            await models.load(name)
        except ShuttingDownError:
            return
        except Exception:  # noqa: BLE001, S112  # nosec B112
            # It is in the log, and the next one may go well.
            continue


def _batch_limits(settings: Settings, facts: ModelFacts) -> BatchLimits:
    return BatchLimits(
        max_batch_size=settings.max_batch_size,
        max_batch_tokens=settings.max_batch_tokens or facts.batch_tokens,
        max_queue_size=settings.max_queue_size,
        max_queue_tokens=settings.max_queue_tokens,
    )
