"""The engine process itself, and the hold that its parent has on it."""

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
import uvicorn

from model_store.parent_process import end_with_parent, starting_children
from model_store.store import ModelStore
from service.engine_process.server import EngineServer
from service.heap import freeze_heap
from service.logs import configure_logs
from service.model_host import open_model_host
from service.native_output import logged_native_output
from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_BACKLOG = 1024
_PATIENCE_S = 10.0
"""How long an engine process that has nobody to answer may take to end."""

CreateStore = Callable[[Settings], ModelStore]


class EngineProcess:
    """A process that runs the models, started anew whenever it has ended.

    This process holds the socket on which the other one listens. Who connects while that one
    starts or starts anew is not refused, but waits.
    """

    def __init__(self, settings: Settings, create_store: CreateStore, path: Path) -> None:
        """Listen on a Unix socket of a path; `create_store` is called over there."""
        self._settings = settings
        self._create_store = create_store
        self._spawn = multiprocessing.get_context("spawn")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(_BACKLOG)

    def start(self) -> None:
        """Start it."""
        end, self._end = self._spawn.Pipe(duplex=False)
        self._process = self._spawn.Process(
            target=run_engine,
            args=(self._settings, self._create_store, self._listener, end),
            name="engine",
        )
        with starting_children():
            self._process.start()
        end.close()
        _LOG.info("engine_started", pid=self._process.pid)

    def keep_alive(self) -> None:
        """Start it anew if it has ended."""
        if not self._process.is_alive():
            _LOG.error("engine_ended", pid=self._process.pid, exit_code=self._process.exitcode)
            self._end.close()
            self.start()

    def stop(self) -> None:
        """End it, by force where it takes too long."""
        self._end.close()
        self._listener.close()
        self._process.join(_PATIENCE_S)
        self._process.kill()
        self._process.join()


def run_engine(
    settings: Settings, create_store: CreateStore, listener: socket.socket, end: Connection
) -> None:
    """Answer HTTP workers until the other side of `end` is closed."""
    end_with_parent()
    # Whoever signals all processes at once means the workers to answer what they have begun.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop_factory = uvicorn.Config("", log_config=None).get_loop_factory()
    with logged_native_output(), asyncio.Runner(loop_factory=loop_factory) as runner:
        configure_logs(settings)
        runner.run(_answer_until(end, settings, create_store(settings), listener))


async def _answer_until(
    end: Connection, settings: Settings, store: ModelStore, listener: socket.socket
) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(end.fileno(), ended.set)
    freeze_heap()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(open_model_host(settings, store))
        await stack.enter_async_context(EngineServer(host).listen(listener))
        await ended.wait()
