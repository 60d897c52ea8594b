"""An engine process without a process: the server and its workers share this event loop."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from keys import ADMIN_KEY
from service.app import create_app
from service.processes.engine_process.client import EngineClient
from service.processes.engine_process.remote import open_remote_host
from service.processes.engine_process.server import EngineServer
from service.processes.model_host import open_model_host
from service.settings import Settings

ServeRemote = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def path() -> Iterator[Path]:
    """Return where a socket may be: such paths are short, and pytest's are not."""
    with TemporaryDirectory() as directory:
        yield Path(directory) / "engine"


class Engine:
    """What listens where an engine process would, as often as it is started."""

    def __init__(self, store: FakeStore, path: Path) -> None:
        """Hold the listening socket, as the parent of all processes does."""
        self.store = store
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self._running = AsyncExitStack()
        self._serving = AsyncExitStack()

    async def start(self, **settings: Any) -> None:
        """Answer from now on."""
        settings = {"default_preset": "tiny", "preload": False} | settings
        self.host = await self._running.enter_async_context(
            open_model_host(Settings(**settings), self.store)
        )
        server = EngineServer(self.host).listen(self.listener.dup())
        await self._serving.enter_async_context(server)

    async def hang_up(self) -> None:
        """End all connections, as the end of a process does."""
        await self._serving.aclose()

    async def stop(self) -> None:
        """End all there is."""
        await self.hang_up()
        await self._running.aclose()


@pytest.fixture
async def silent_engine(store: FakeStore, path: Path) -> AsyncIterator[Engine]:
    """Return an engine that has not been started."""
    engine = Engine(store, path)
    yield engine
    await engine.stop()
    engine.listener.close()


@pytest.fixture
async def engine(silent_engine: Engine) -> Engine:
    """Return an engine that answers."""
    await silent_engine.start()
    return silent_engine


@asynccontextmanager
async def _serve(engine: Engine, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    defaults = {"default_preset": "tiny", "preload": False, "admin_keys": (ADMIN_KEY,)}
    read = Settings(**defaults | settings)
    app = create_app(read, engine.store, partial(open_remote_host, read, engine.path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(
            transport=transport,
            base_url="http://fillmask",
            headers={"authorization": f"Bearer {ADMIN_KEY}"},
        ) as client,
        app.router.lifespan_context(app),
    ):
        yield client


@pytest.fixture
def serve_remote() -> ServeRemote:
    """Return what starts an HTTP worker in front of an engine, and gives a client of it."""
    return _serve


@pytest.fixture
async def worker(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of an HTTP worker in front of an engine that answers."""
    async with _serve(engine) as client:
        yield client


@pytest.fixture
async def caller(path: Path) -> AsyncIterator[EngineClient]:
    """Return what calls an engine."""
    client = EngineClient(path)
    yield client
    await client.close()
