"""What loads and runs models, all in one process: the cache, its threads, states and metrics."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from model_store.fill_mask import ModelFacts
from model_store.store import ModelStore
from service.batching import BatchLimits
from service.exception_handlers import outcome
from service.metrics import Metrics
from service.model_cache import ModelCache
from service.preset_states import PresetStates
from service.served_model import PresetFetcher, ServedModel, ServedModelLoader
from service.settings import Settings

_FETCHES = 2
"""How many presets are fetched at a time."""


@dataclass(frozen=True, slots=True)
class ModelHost:
    """The parts that others use."""

    models: ModelCache[ServedModel]
    preset_states: PresetStates
    metrics: Metrics


@asynccontextmanager
async def open_model_host(settings: Settings, store: ModelStore) -> AsyncIterator[ModelHost]:
    """Put the parts together; at the end, requests are answered and models closed."""
    async with AsyncExitStack() as stack:
        engine_thread = stack.enter_context(ThreadPoolExecutor(1, "engine"))
        loader_thread = stack.enter_context(ThreadPoolExecutor(1, "loader"))
        fetcher = PresetFetcher(store, stack.enter_context(ThreadPoolExecutor(_FETCHES, "fetcher")))
        stack.callback(fetcher.stop)
        metrics = Metrics(
            outcome=outcome,
            queue_size=lambda: sum(model.queue_size for model in models.ready().values()),
        )
        loader = ServedModelLoader(
            store,
            engine_thread=engine_thread,
            loader_thread=loader_thread,
            limits=partial(_batch_limits, settings),
            max_bytes=settings.max_loaded_bytes,
            observe=metrics.observe_batch,
        )
        models: ModelCache[ServedModel] = ModelCache(
            loader.load,
            max_models=settings.max_loaded_presets,
            max_bytes=settings.max_loaded_bytes,
            observe=metrics.observe_cache,
            prepare=fetcher.fetch,
        )
        stack.push_async_callback(models.close)
        yield ModelHost(models, PresetStates(store, models, lambda: fetcher.downloading), metrics)


def _batch_limits(settings: Settings, facts: ModelFacts) -> BatchLimits:
    return BatchLimits(
        max_batch_size=settings.max_batch_size,
        max_batch_tokens=settings.max_batch_tokens or facts.batch_tokens,
        max_queue_size=settings.max_queue_size,
        max_queue_tokens=settings.max_queue_tokens,
    )
