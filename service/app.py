"""The only place where the parts are put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI

from model_store.loading.parent_process import end_with_parent, hear_interrupts
from model_store.store import ModelStore
from model_store.tasks import TaskLimits
from model_store.text.encoding import TextLimits
from service.middleware.access import Access, AccessMiddleware
from service.middleware.api_keys import ApiKeys
from service.middleware.body.limit import BodyLimitMiddleware
from service.middleware.disconnect import DisconnectMiddleware
from service.middleware.exception_handlers import add_exception_handlers
from service.middleware.outer import App
from service.models.preset_choice import PresetChoice
from service.models.preset_control import LoadableModels, PresetBoard, PresetControl
from service.models.preset_store import create_store
from service.pipeline import Models, Pipeline, RequestLimits
from service.processes.engine_process.remote import open_remote_host
from service.processes.heap import freeze_heap
from service.processes.model_host import open_model_host
from service.processes.owned_task import owned_task
from service.processes.shutdown import announced_end
from service.routes import embed_sparse, fill_mask, hugging_face, kserve, page, score, tokenize
from service.routes.bulk import fill_mask_lines
from service.routes.calls.dependencies import MetricsBoard
from service.routes.calls.document import ANY_ANSWERS, DESCRIPTION, TAGS, shared_parts
from service.routes.operations import info, presets, probes
from service.routes.operations.documentation import route as documentation
from service.routes.operations.readiness import Readiness
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.traces import Traces, create_traces


class BackendModels(Models, LoadableModels, Protocol):
    """Models that are lent, and that come and go when somebody says so."""


class Backend(Protocol):
    """What answers behind the routes: in this process, or in another one."""

    @property
    def models(self) -> BackendModels:
        """The models by name."""
        ...

    @property
    def preset_states(self) -> PresetBoard:
        """How every preset stands."""
        ...

    @property
    def metrics(self) -> MetricsBoard:
        """What counts, and shows what was counted."""
        ...


OpenBackend = Callable[[], AbstractAsyncContextManager[Backend]]


def create_app(
    settings: Settings, store: ModelStore | None = None, open_backend: OpenBackend | None = None
) -> App:
    """Put a server together.

    Args:
        settings: how it behaves.
        store: where its models come from, if not from the settings.
        open_backend: what answers for as long as the server runs, if not this process.
    """
    store = store or create_store(settings)
    open_backend = open_backend or partial(open_model_host, settings, store)
    traces = create_traces(settings)
    access = _create_access(settings)
    app = App(
        settings,
        title="fillmask",
        version=version("fillmask"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        shared_parts=shared_parts(),
        generate_unique_id_function=lambda route: route.name,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=_create_lifespan(settings, store, open_backend, traces, access),
        telemetry=traces.telemetry,
        docs_url=None,  # theirs loads its files from elsewhere; ours is a route
        redoc_url=None,
        redirect_slashes=False,  # theirs says which host; ours is where errors are answered
        responses=ANY_ANSWERS,
    )
    for routes in (
        fill_mask_lines,
        fill_mask,
        score,
        embed_sparse,
        hugging_face,
        tokenize,
        kserve,
        presets,
        probes,
        info,
        page,
        documentation,
    ):
        app.include_router(routes.router)
    add_exception_handlers(app)
    # From the inside out: who has no key is refused before a byte of a body is read.
    app.add_middleware(DisconnectMiddleware)
    app.add_middleware(
        BodyLimitMiddleware,
        max_body_bytes=settings.max_body_bytes,
        timeout_s=settings.request_timeout_s,
    )
    app.add_middleware(AccessMiddleware, access=access)
    return app


def create_worker_app(settings: Settings, path: Path) -> FastAPI:
    """Put an HTTP worker together; it ends with its parent.

    Args:
        settings: of the whole service.
        path: the Unix socket of the engine process.
    """
    end_with_parent()
    hear_interrupts()  # uvicorn handles them by now
    configure_logs(settings)
    return create_app(settings, open_backend=partial(open_remote_host, settings, path))


def _create_access(settings: Settings) -> Access:
    return Access(
        ApiKeys(settings.api_keys, settings.api_keys_file),
        ApiKeys(settings.admin_keys, settings.admin_keys_file),
        are_probes_open=settings.open_probes,
    )


def _create_lifespan(
    settings: Settings,
    store: ModelStore,
    open_backend: OpenBackend,
    traces: Traces,
    access: Access,
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        freeze_heap()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(traces.export())
            backend = await stack.enter_async_context(open_backend())
            observer = traces.observe(backend.metrics)
            choice = PresetChoice(store, settings.configured_presets)
            pipeline = Pipeline(choice, backend.models, request_limits(settings), observer)
            app.state.settings = settings
            app.state.metrics = backend.metrics
            app.state.preset_states = backend.preset_states
            app.state.preset_control = PresetControl(
                choice, backend.models, backend.preset_states, settings.request_timeout_s
            )
            app.state.pipeline = pipeline
            app.state.readiness = readiness = Readiness(pipeline, settings.default_preset)
            stack.enter_context(
                announced_end(
                    pipeline.close,
                    notice_s=settings.shutdown_notice_s,
                    timeout_s=settings.shutdown_timeout_s,
                )
            )
            if settings.preload:
                await stack.enter_async_context(owned_task(readiness.check()))
            stack.callback(pipeline.close)
            if settings.grpc_port is not None:
                # Its import takes long, and most do without it.
                from service.routes.grpc.server import serve_grpc  # noqa: PLC0415

                await stack.enter_async_context(serve_grpc(app, access, settings))
            # For connections, which refuse what no application sees.
            yield {"observe_response": backend.metrics.observe_response}

    return lifespan


def request_limits(settings: Settings) -> RequestLimits:
    """Return how much one request may ask for, as the settings have it."""
    return RequestLimits(
        TaskLimits(
            max_inputs=settings.max_inputs,
            max_top_k=settings.max_top_k,
            max_targets=settings.max_targets,
            max_predictions=settings.max_predictions,
            max_answer_characters=settings.max_answer_characters,
            max_beam_width=settings.max_beam_width,
            max_rows=settings.max_rows,
            max_sparse_values=settings.max_sparse_values,
            max_listed_tokens=settings.max_listed_tokens,
            text=TextLimits(settings.max_characters, settings.max_masks),
        ),
        timeout_s=settings.request_timeout_s,
        ready_timeout_s=settings.ready_timeout_s,
    )
