"""The only place where the parts are put together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI

from model_store.encoding import TextLimits
from model_store.fill_mask import ModelFacts
from model_store.store import ModelStore
from service.batching import BatchLimits
from service.body_limit import BodyLimitMiddleware
from service.exception_handlers import add_exception_handlers, outcome
from service.metrics import Metrics
from service.model_cache import ModelCache
from service.pipeline import Pipeline, RequestLimits
from service.preset_states import PresetStates
from service.routes import fill_mask, hugging_face, presets, probes
from service.schemas import ErrorResponse
from service.served_model import PresetFetcher, ServedModel, ServedModelLoader
from service.settings import Settings

_FETCHES = 2
"""How many presets are fetched at a time."""

_DESCRIPTION = """\
Which tokens belong at each `[MASK]`? Every error is one sentence and a code.
"""


def create_app(settings: Settings, store: ModelStore | None = None) -> FastAPI:
    """Put a server together.

    Args:
        settings: how it behaves.
        store: where its models come from, if not from the settings.
    """
    if store is None:
        store = ModelStore(
            settings.model_store_dir, offline=settings.offline, engine=settings.engine_options
        )
    app = FastAPI(
        title="fillmask",
        version="0.1.0",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=_create_lifespan(settings, store),
        # It asks for its providers in every request, and nothing here provides any.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        responses={"4XX": {"model": ErrorResponse}, "5XX": {"model": ErrorResponse}},
    )
    for routes in (fill_mask, hugging_face, presets, probes):
        app.include_router(routes.router)
    add_exception_handlers(app)
    app.add_middleware(BodyLimitMiddleware, max_body_bytes=settings.max_body_bytes)
    return app


def _create_lifespan(
    settings: Settings, store: ModelStore
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            engine_thread = stack.enter_context(ThreadPoolExecutor(1, "engine"))
            loader_thread = stack.enter_context(ThreadPoolExecutor(1, "loader"))
            fetcher = PresetFetcher(
                store, stack.enter_context(ThreadPoolExecutor(_FETCHES, "fetcher"))
            )
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
            app.state.settings = settings
            app.state.metrics = metrics
            app.state.preset_states = PresetStates(store, models, lambda: fetcher.downloading)
            app.state.pipeline = Pipeline(store, models, _request_limits(settings), metrics)
            if settings.preload:
                warm_up = asyncio.create_task(app.state.pipeline.check(settings.default_preset))
                stack.push_async_callback(_cancel, warm_up)
            yield

    return lifespan


async def _cancel(task: asyncio.Task[None]) -> None:
    """End a task; what it raised is known already, from `/presets` and `/readyz`."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _batch_limits(settings: Settings, facts: ModelFacts) -> BatchLimits:
    return BatchLimits(
        max_batch_size=settings.max_batch_size,
        max_batch_tokens=settings.max_batch_tokens or facts.batch_tokens,
        max_queue_size=settings.max_queue_size,
    )


def _request_limits(settings: Settings) -> RequestLimits:
    return RequestLimits(
        max_inputs=settings.max_inputs,
        max_top_k=settings.max_top_k,
        max_targets=settings.max_targets,
        max_predictions=settings.max_predictions,
        timeout_s=settings.request_timeout_s,
        text=TextLimits(settings.max_characters, settings.max_masks),
    )
