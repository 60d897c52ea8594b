"""The engine process: a real one, around a store that has no models."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from multiprocessing import Pipe
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

import pytest

from fakes import FakeStore, make_preset
from service.engine_process import process
from service.engine_process.client import EngineClient
from service.engine_process.frames import Describe, Described
from service.engine_process.process import EngineProcess, run_engine
from service.errors import EngineLostError
from service.settings import Settings


def create_store(_: Settings) -> FakeStore:
    """Return a store of one preset."""
    return FakeStore([make_preset("tiny")])


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[EngineProcess]:
    """Return an engine process that was started."""
    engine = EngineProcess(Settings(default_preset="tiny"), create_store, path)
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
    os.kill(first.pid or 0, signal.SIGSTOP)
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
    os.kill(engine._process.pid or 0, signal.SIGSTOP)
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
    with socket(AF_UNIX) as listener:
        listener.bind(str(path))
        threading.Timer(0.3, tell.close).start()
        settings = Settings(default_preset="tiny", preload=preload, pinned_presets=pinned)
        run_engine(settings, lambda _: store, listener, end)
    end.close()
    assert store.loads == loads
