"""Replicas without Ray: they and their callers share this event loop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from keys import ADMIN_KEY
from ray_handles import LocalHandle
from service.app import create_app
from service.processes.ray.board import Board
from service.processes.ray.engine_replica import (
    EngineReplica,
    encode_worked,
    open_engine_replica,
)
from service.processes.ray.ingress import open_ray_host
from service.processes.ray.told_metrics import Worked
from service.settings import Settings

ServeCluster = Callable[..., AbstractAsyncContextManager["Cluster"]]


class ListedModels:
    """What Serve would know of what a replica holds."""

    def __init__(self) -> None:
        """Know of nothing."""
        self.ids: set[str] = set()

    async def add(self, model_id: str) -> None:
        """Put an id on the list."""
        self.ids.add(model_id)

    async def set(self, model_ids: list[str]) -> None:
        """Put these on the list, and no other."""
        self.ids = set(model_ids)


class Cluster:
    """Some engine replicas, a board, and ingresses in front of them."""

    def __init__(self, settings: Settings, stores: list[FakeStore]) -> None:
        """Have one replica for each store."""
        self.settings = settings
        self.stores = stores
        self.board = LocalHandle([Board(settings)])
        self.lists = [ListedModels() for _ in stores]
        self.replicas: list[EngineReplica] = []
        self.engine = LocalHandle(self.replicas, self._holds)
        self._stack = AsyncExitStack()

    def _holds(self, replica: EngineReplica, model_id: str) -> bool:
        return model_id in self.lists[self.replicas.index(replica)].ids

    async def open(self) -> None:
        """Start the replicas."""

        async def tell(worked: Worked) -> None:
            await self.board.note.remote(encode_worked(worked))

        for number, store in enumerate(self.stores):
            replica = await self._stack.enter_async_context(
                open_engine_replica(
                    self.settings,
                    store,
                    held=self.lists[number],  # type: ignore[arg-type]
                    name=f"engine-{number}",
                    tell=tell,
                    hang_timeout_s=self.settings.engine_hang_timeout_s,
                )
            )
            self.replicas.append(replica)

    @asynccontextmanager
    async def ingress(self) -> AsyncIterator[httpx.AsyncClient]:
        """Return a client of one more ingress."""

        def open_backend() -> Any:
            return open_ray_host(self.settings, self.engine, self.board)

        app = create_app(self.settings, self.stores[0], open_backend)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        async with (
            httpx.AsyncClient(
                transport=transport, base_url="http://fillmask", headers=headers
            ) as client,
            app.router.lifespan_context(app),
        ):
            yield client

    async def close(self) -> None:
        """End the replicas."""
        await self._stack.aclose()


@pytest.fixture
def serve_cluster() -> ServeCluster:
    """Return what starts a cluster of a replica for each store."""

    @asynccontextmanager
    async def serve(*stores: FakeStore, **settings: Any) -> AsyncIterator[Cluster]:
        defaults = {"default_preset": "tiny", "preload": False, "admin_keys": (ADMIN_KEY,)}
        cluster = Cluster(Settings(**defaults | settings), list(stores))
        try:
            await cluster.open()
            yield cluster
        finally:
            await cluster.close()

    return serve
