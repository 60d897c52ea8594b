"""The engine process: a real one, around a store that has no models."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

import pytest

from fakes import FakeEngine, FakeStore, Gate, ManualClock, make_preset, settle
from service.errors.exceptions import EngineLostError
from service.processes.engine_process import process
from service.processes.engine_process.client import EngineClient
from service.processes.engine_process.frames import Describe, Described
from service.processes.engine_process.process import EngineProcess, run_engine
from service.processes.model_host import open_model_host
from service.settings import Settings

_PATIENCE_S = 240


def create_store(_: Settings) -> FakeStore:
    """Return a store of one preset."""
    return FakeStore([make_preset("tiny")])


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the engine process' parent."""
    return ManualClock()


@pytest.fixture
async def engine(path: Path, clock: ManualClock) -> AsyncIterator[EngineProcess]:
    """Return an engine process that was started."""
    engine = EngineProcess(Settings(default_preset="tiny"), create_store, path, clock)
    engine.start()
    yield engine
    await asyncio.to_thread(engine.stop)


async def test_engine_process_that_was_killed_is_replaced(
    engine: EngineProcess, caller: EngineClient
) -> None:
    """Who had asked is told, and who comes meanwhile is answered by the next one."""
    first = engine._process
    await caller.call(Describe(), Described)
    engine.keep_alive()
    assert engine._process is first
    await stop(first)
    waiting = asyncio.create_task(caller.call(Describe(), Described))
    await asyncio.sleep(0)
    first.kill()
    with pytest.raises(EngineLostError):
        await waiting
    await asyncio.to_thread(first.join)
    waiting = asyncio.create_task(caller.call(Describe(), Described))
    engine.keep_alive()
    assert (await waiting).presets[0]["name"] == "tiny"


async def test_engine_process_ends_when_it_is_told_and_not_by_signals(
    engine: EngineProcess, caller: EngineClient
) -> None:
    """Signals to all processes at once are for the workers, whose requests it still answers."""
    await caller.call(Describe(), Described)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(engine._process.pid or 0, number)
    assert await caller.call(Describe(), Described)
    await asyncio.to_thread(engine.stop)
    assert engine._process.exitcode == 0


async def test_engine_process_that_hangs_is_killed(
    engine: EngineProcess, caller: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a service waits for nobody for long."""
    monkeypatch.setattr(process, "_PATIENCE_S", 0.1)
    await caller.call(Describe(), Described)
    await stop(engine._process)
    await asyncio.to_thread(engine.stop)
    assert engine._process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("preload", "pinned", "loads"),
    [(True, "", ["tiny"]), (False, "", []), (False, "tiny", ["tiny"])],
)
def test_engine_loads_the_default_and_the_pinned_presets_at_its_start(
    path: Path, monkeypatch: pytest.MonkeyPatch, preload: Any, pinned: Any, loads: list[str]
) -> None:
    """After each crash too, when no worker starts and asks for it."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    store = create_store(Settings())
    end, tell = Pipe(duplex=False)
    beats, beat = Pipe(duplex=False)

    def end_when_it_has_loaded() -> None:
        assert beats.poll(_PATIENCE_S)
        while len(store.loads) < len(loads):
            time.sleep(0.001)
        tell.close()

    with socket(AF_UNIX) as listener, ThreadPoolExecutor(1) as thread:
        listener.bind(str(path))
        ending = thread.submit(end_when_it_has_loaded)
        settings = Settings(default_preset="tiny", preload=preload, pinned_presets=pinned)
        run_engine(settings, lambda _: store, listener, end, beat)
        ending.result()
    end.close()
    assert store.loads == loads


def look(engine: EngineProcess, clock: ManualClock, seconds: int) -> None:
    """Look after an engine process every second."""
    for _ in range(seconds):
        clock.advance(1)
        engine.keep_alive()


async def hear(engine: EngineProcess) -> BaseProcess:
    """Wait for a sign of life."""
    assert await asyncio.to_thread(engine._beats.poll, _PATIENCE_S)
    return engine._process


async def stop(process: BaseProcess) -> None:
    """Let a process stand still; the signal alone says nothing of when it does."""
    os.kill(process.pid or 0, signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


async def test_engine_process_that_starts_slowly_is_left_alone(
    engine: EngineProcess, clock: ManualClock, caller: EngineClient
) -> None:
    """On a busy machine imports take longer than any batch; one that never comes is replaced."""
    first = engine._process
    await stop(first)
    assert not engine._beats.poll()
    look(engine, clock, 299)
    assert engine._process is first
    assert first.is_alive()
    look(engine, clock, 2)
    assert first.exitcode == -signal.SIGKILL
    assert await caller.call(Describe(), Described)


async def test_engine_process_that_gives_no_sign_of_life_is_replaced(
    engine: EngineProcess, clock: ManualClock, caller: EngineClient
) -> None:
    """Stopped, it never ends by itself; who waits for it is told, and the next one answers."""
    await caller.call(Describe(), Described)
    first = await hear(engine)
    await stop(first)
    engine.keep_alive()
    waiting = asyncio.create_task(caller.call(Describe(), Described))
    await settle()
    look(engine, clock, 60)
    assert first.is_alive()
    look(engine, clock, 1)
    assert first.exitcode == -signal.SIGKILL
    with pytest.raises(EngineLostError):
        await waiting
    assert await caller.call(Describe(), Described)


async def test_engine_process_that_gives_signs_of_life_is_left_alone(
    engine: EngineProcess, clock: ManualClock
) -> None:
    """However much time has passed."""
    first = engine._process
    for _ in range(5):
        assert await hear(engine) is first
        look(engine, clock, 59)
    assert engine._process is first
    assert first.is_alive()


async def test_time_in_which_nobody_looked_is_not_counted(
    engine: EngineProcess, clock: ManualClock
) -> None:
    """Whoever stops all processes and lets them go on finds them as they were."""
    first = await hear(engine)
    os.kill(first.pid or 0, signal.SIGSTOP)
    engine.keep_alive()
    clock.advance(3600)
    engine.keep_alive()
    assert engine._process is first
    os.kill(first.pid or 0, signal.SIGCONT)


async def test_engine_process_that_ends_at_each_start_is_started_more_and_more_slowly(
    engine: EngineProcess, clock: ManualClock
) -> None:
    """At once, then after 1, 2, 4, ... 60 seconds; at once again when one has lived."""
    pauses = []
    for _ in range(9):
        ended, paused = engine._process, 0
        ended.kill()
        ended.join()
        engine.keep_alive()
        while engine._process is ended:
            look(engine, clock, 1)
            paused += 1
        pauses.append(paused)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    clock.advance(60)
    ended = engine._process
    ended.kill()
    ended.join()
    engine.keep_alive()
    assert engine._process is not ended


async def test_sign_of_life_comes_past_the_engine() -> None:
    """A process whose event loop runs may hang all the same, in the thread of its engine."""
    store = create_store(Settings())
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        settings = Settings(default_preset="tiny", preload=False)
        async with open_model_host(settings, store) as host:
            await host.pass_engine()
            async with host.models.lease("tiny") as model:
                checking = asyncio.create_task(model.check())
                await gate.reached()
                passing = asyncio.create_task(host.pass_engine())
                await settle()
                assert not passing.done()
                gate.open()
                await asyncio.gather(checking, passing)
