"""The engine process itself, and the hold that its parent has on it."""

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic

import structlog
import uvicorn

from model_store.loading.parent_process import end_with_parent, starting_children
from model_store.store import ModelStore
from service.processes.engine_process.server import EngineServer
from service.processes.heap import freeze_heap
from service.processes.model_host import ModelHost, open_model_host
from service.processes.owned_task import owned_task
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.native_output import logged_native_output

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_BACKLOG = 1024
_PATIENCE_S = 10.0
"""How long an engine process that has nobody to answer may take to end."""

_BEAT_S = 0.5
"""How long an engine process waits between two signs of life."""

_LONGEST_START_S = 300.0
"""How long an engine process may take to its first sign of life: on a busy machine imports take."""

_LONGEST_LOOK_S = 5.0
_STABLE_S = 60.0
"""Who ends earlier than that after a start may do so again."""

_LONGEST_PAUSE_S = 60.0

CreateStore = Callable[[Settings], ModelStore]


class EngineProcess:
    """A process that runs the models, started anew whenever it has ended or hangs.

    This process holds the socket on which the other one listens. Who connects while that one
    starts or starts anew is not refused, but waits. The other one gives a sign of life now and
    then, which comes from its event loop and past its engine's thread.
    """

    def __init__(
        self,
        settings: Settings,
        create_store: CreateStore,
        path: Path,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Listen on a Unix socket of a path; `create_store` is called over there."""
        self._settings = settings
        self._create_store = create_store
        self._clock = clock
        self._early_ends = 0
        self._start_at: float | None = None
        self._spawn = multiprocessing.get_context("spawn")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(_BACKLOG)

    def start(self) -> None:
        """Start it."""
        end, self._end = self._spawn.Pipe(duplex=False)
        self._beats, beats = self._spawn.Pipe(duplex=False)
        self._process = self._spawn.Process(
            target=run_engine,
            args=(self._settings, self._create_store, self._listener, end, beats),
            name="engine",
        )
        with starting_children():
            self._process.start()
        end.close()
        beats.close()
        self._start_at = None
        self._started = self._looked = self._clock()
        self._silent_s = 0.0
        # One that only starts slowly would be ended again and again, and would never be there.
        self._patience_s = max(_LONGEST_START_S, self._settings.engine_hang_timeout_s)
        _LOG.info("engine_started", pid=self._process.pid)

    def keep_alive(self) -> None:
        """End it if it hangs, and start it anew if it has ended.

        One that ends soon after each start is started after longer and longer pauses.
        """
        if self._process.is_alive() and self._hangs():
            _LOG.error("engine_hung", pid=self._process.pid, seconds=round(self._silent_s, 3))
            self._process.kill()
            self._process.join()
        if self._process.is_alive():
            return
        if self._start_at is None:
            self._plan_start()
        elif self._clock() >= self._start_at:
            self.start()

    def _hangs(self) -> bool:
        """Say whether there was no sign of life for too long."""
        now = self._clock()
        # Time in which nobody looked is not counted: all processes may have been stopped.
        self._silent_s += min(now - self._looked, _LONGEST_LOOK_S)
        self._looked = now
        with suppress(EOFError):  # it has just ended
            while self._beats.poll():
                self._beats.recv_bytes()
                self._silent_s = 0.0
                self._patience_s = self._settings.engine_hang_timeout_s
        return self._silent_s > self._patience_s

    def _plan_start(self) -> None:
        now = self._clock()
        is_early = now - self._started < _STABLE_S
        self._early_ends = self._early_ends + 1 if is_early else 0
        pause = min(2.0 ** (self._early_ends - 2), _LONGEST_PAUSE_S) if self._early_ends > 1 else 0
        exit_code = self._process.exitcode
        _LOG.error("engine_ended", pid=self._process.pid, exit_code=exit_code, pause=pause)
        self._end.close()
        self._beats.close()
        if pause:
            self._start_at = now + pause
        else:
            self.start()

    def stop(self) -> None:
        """End it, by force where it takes too long."""
        self._end.close()
        self._listener.close()
        self._process.join(_PATIENCE_S)
        self._process.kill()
        self._process.join()


def run_engine(
    settings: Settings,
    create_store: CreateStore,
    listener: socket.socket,
    end: Connection,
    beats: Connection,
) -> None:
    """Answer HTTP workers until the other side of `end` is closed; `beats` gets signs of life."""
    end_with_parent()
    # Whoever signals all processes at once means the workers to answer what they have begun.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop_factory = uvicorn.Config("", log_config=None).get_loop_factory()
    with logged_native_output(), asyncio.Runner(loop_factory=loop_factory) as runner:
        configure_logs(settings)
        runner.run(_answer_until(end, settings, create_store(settings), listener, beats))


async def _answer_until(
    end: Connection,
    settings: Settings,
    store: ModelStore,
    listener: socket.socket,
    beats: Connection,
) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(end.fileno(), ended.set)
    freeze_heap()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(open_model_host(settings, store))
        await stack.enter_async_context(EngineServer(host).listen(listener))
        await stack.enter_async_context(owned_task(_beat(host, beats)))
        await ended.wait()


async def _beat(host: ModelHost, beats: Connection) -> None:
    while True:
        await host.pass_engine()
        beats.send_bytes(b".")
        await asyncio.sleep(_BEAT_S)
