"""The Serve application: its deployments, and how they know of each other."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ray import serve
from ray.serve.config import BackpressureConfig
from starlette.types import ASGIApp

from model_store.store import ModelStore
from service.processes.ray.board import Board
from service.processes.ray.engine_replica import encode_worked, open_engine_replica
from service.processes.ray.handle_client import await_response
from service.processes.ray.held_models import HeldModels
from service.processes.ray.ingress import ProxiedApp, open_ray_host
from service.processes.ray.told_metrics import Worked
from service.settings import Settings
from service.telemetry.logs import configure_logs

CreateStore = Callable[[Settings], ModelStore]
CreateApp = Callable[..., ASGIApp]

_ENGINE_CALLS = 128
"""How many calls one engine replica is given at a time: a batch is gathered from these."""

_WAITING_CALLS = 256
"""How many calls of one ingress replica wait for an engine replica; more are refused with 429."""

_UNHEALTHY = 3
"""How many checks in a row fail until Serve replaces a replica."""

_NO_ACCESS_LOG = {"enable_access_log": False}
"""Serve would log every call between the deployments; FILLMASK_ACCESS_LOG logs requests."""

_BOARD_CALLS = 1000

_LOOK_S = 0.5
"""How often a replica that is to end looks whether its calls are answered."""


class Engine:
    """An engine replica, as Serve makes it."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, settings: Settings, create_store: CreateStore, board: Any
    ) -> None:
        """Load what is to be here from the start."""
        configure_logs(settings)
        self._stack = AsyncExitStack()

        async def tell(worked: Worked) -> None:
            await await_response(board.note.remote(encode_worked(worked)))

        self._replica = await self._stack.enter_async_context(
            open_engine_replica(
                settings,
                await asyncio.to_thread(create_store, settings),
                held=HeldModels(self, self._hold),
                name=serve.get_replica_context().replica_tag,
                tell=tell,
                hang_timeout_s=settings.engine_hang_timeout_s / _UNHEALTHY,
            )
        )

    async def answer(self, frame: bytes) -> bytes:
        """Answer a call."""
        return await self._replica.answer(frame)

    async def answer_if_held(self, frame: bytes) -> bytes | None:
        """Answer a call that is for every replica, if what it is about is here."""
        return await self._replica.answer_if_held(frame)

    async def check_health(self) -> None:
        """Return if the engine's thread does something."""
        await self._replica.check_health()

    async def __del__(self) -> None:
        """Answer what was begun, and close the models."""
        await self._stack.aclose()

    @serve.multiplexed(max_num_models_per_replica=-1)  # type: ignore[untyped-decorator]
    async def _hold(self, model_id: str) -> str:
        """Be counted among those that hold a model."""
        return model_id


class Ingress:
    """An ingress replica, as Serve makes it."""

    def __init__(
        self,
        settings: Settings,
        create_store: CreateStore,
        create_app: CreateApp,
        engine: Any,
        board: Any,
    ) -> None:
        """Answer HTTP by the handles of the other deployments."""
        self._settings = settings
        self._create_store = create_store
        self._create_app = create_app
        self._open_backend = partial(open_ray_host, settings, engine, board)

    def __serve_build_asgi_app__(self) -> ASGIApp:  # Serve's name
        """Return the application."""
        configure_logs(self._settings)
        store = self._create_store(self._settings)
        return ProxiedApp(self._create_app(self._settings, store, self._open_backend))


@dataclass(frozen=True, slots=True)
class Options:
    """Serve's options of the deployments, over the usual ones: `num_replicas`, for example."""

    engine: Mapping[str, Any] = field(default_factory=dict)
    ingress: Mapping[str, Any] = field(default_factory=dict)


AS_USUAL = Options()


def compose(
    settings: Settings,
    create_store: CreateStore,
    create_app: CreateApp,
    options: Options = AS_USUAL,
) -> serve.Application:
    """Put the service together as a Serve application.

    Args:
        settings: how it behaves; those of processes and sockets are Serve's matter.
        create_store: where models come from; called in each replica, so it must be importable.
        create_app: puts an HTTP server together.
        options: Serve's, of the deployments.
    """
    settings = settings.model_copy(update={"grpc_port": None, "workers": 1})
    board: Any = serve.deployment(Board, name="board")
    engine: Any = serve.deployment(Engine, name="engine")
    ingress: Any = serve.deployment(serve.ingress()(Ingress), name="ingress")
    on_board = board.options(
        max_ongoing_requests=_BOARD_CALLS,
        ray_actor_options={"num_cpus": 0},
        logging_config=_NO_ACCESS_LOG,
    ).bind(settings)
    ends: dict[str, Any] = {
        "logging_config": _NO_ACCESS_LOG,
        "graceful_shutdown_timeout_s": settings.shutdown_timeout_s,
        "graceful_shutdown_wait_loop_s": _LOOK_S,
        "backpressure_config": BackpressureConfig(status_code=429, retry_after_s=1.0),
    }
    engines: dict[str, Any] = ends | {
        "max_ongoing_requests": _ENGINE_CALLS,
        "max_queued_requests": _WAITING_CALLS,
        "health_check_timeout_s": settings.engine_hang_timeout_s,
    }
    on_engine = engine.options(**engines | dict(options.engine)).bind(
        settings, create_store, on_board
    )
    ingresses = ends | {"max_ongoing_requests": settings.max_connections}
    return ingress.options(**ingresses | dict(options.ingress)).bind(
        settings, create_store, create_app, on_engine, on_board
    )
