"""What an ingress replica has in place of a model host: the deployments behind it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.processes.engine_process.remote import (
    RemoteHost,
    RemoteMetrics,
    RemoteModels,
    RemotePresetStates,
)
from service.processes.owned_task import owned_task
from service.processes.ray.batch_parts import PartLimits
from service.processes.ray.cluster_client import ClusterClient
from service.processes.ray.handle_client import HandleClient
from service.settings import Settings

_REQUEST_ID = b"x-request-id"

_CODECS = 32
"""How many presets' tokenizers an ingress keeps: the replicas together hold more than one does."""


@asynccontextmanager
async def open_ray_host(settings: Settings, engine: Any, board: Any) -> AsyncIterator[RemoteHost]:
    """Put together what answers through the handles of two deployments."""
    timeout_s = settings.request_timeout_s
    async with AsyncExitStack() as stack:
        client = ClusterClient(engine, PartLimits.of(settings))
        models = RemoteModels(client, max(settings.max_loaded_presets, _CODECS))
        stack.push_async_callback(models.close)
        metrics = RemoteMetrics(HandleClient(board), timeout_s)
        await stack.enter_async_context(owned_task(metrics.tell_all()))
        yield RemoteHost(models, RemotePresetStates(client, timeout_s), metrics)


class ProxiedApp:
    """An application behind Serve's proxy, which adds the id of a request to its answer too."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an id that the proxy will add is left out of its answer."""
        given = next((v for k, v in scope.get("headers", ()) if k == _REQUEST_ID), None)

        async def send_without(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                message["headers"] = [h for h in headers if tuple(h) != (_REQUEST_ID, given)]
            await send(message)

        await self._app(scope, receive, send_without)
