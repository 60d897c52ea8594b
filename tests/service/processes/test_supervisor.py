"""The parent of workers and engine; no process is started here."""

import stat
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import uvicorn
from uvicorn.supervisors import Multiprocess

from service.app import create_worker_app
from service.processes import supervisor
from service.processes.supervisor import Supervisor, serve_with_workers
from service.settings import Settings


class FakeEngineProcess:
    """Remembers what it was told."""

    def __init__(self, _settings: Settings, _create_store: Any, path: Path) -> None:
        """Hear nothing yet."""
        self.path = path
        self.told: list[str] = []

    def start(self) -> None:
        """Remember it."""
        self.told.append("start")

    def keep_alive(self) -> None:
        """Remember it."""
        self.told.append("keep alive")

    def stop(self) -> None:
        """Remember it."""
        self.told.append("stop")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[FakeEngineProcess]:
    """Return the engine processes there were; uvicorn's supervisor starts nothing, and ends."""
    engines: list[FakeEngineProcess] = []

    def create(*arguments: Any) -> FakeEngineProcess:
        engines.append(FakeEngineProcess(*arguments))
        return engines[-1]

    def run(self: Multiprocess) -> None:
        engines[-1].told.append(f"{self.processes_num} workers")
        engines[-1].mode = stat.S_IMODE(engines[-1].path.parent.stat().st_mode)
        self.init_processes()
        self.keep_subprocess_alive()
        self.terminate_all()
        assert [listener.fileno() for listener in self.sockets] == [-1]

    def start(_: Multiprocess) -> None:
        engines[-1].told.append("start workers")

    monkeypatch.setattr(supervisor, "EngineProcess", create)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(Multiprocess, "init_processes", start)
    monkeypatch.setattr(Multiprocess, "run", run)
    return engines


def test_engine_is_there_for_as_long_as_the_workers(engines: list[Any]) -> None:
    """It starts before them, is looked after like them, and ends after them."""
    serve_with_workers(Settings(workers=3), socket(), create_worker_app)
    [engine] = engines
    assert engine.told == ["3 workers", "start", "start workers", "keep alive", "stop"]


def test_engine_ends_whatever_happens(engines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the parent leaves no process behind."""

    def fail(_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Supervisor, "keep_subprocess_alive", fail)
    with socket() as listener, pytest.raises(RuntimeError):
        serve_with_workers(Settings(workers=2), listener, create_worker_app)
    assert engines[0].told[-1] == "stop"


def test_socket_is_nobody_elses(engines: list[Any]) -> None:
    """Its directory lets this user in and no other, and is gone at the end."""
    serve_with_workers(Settings(workers=2), socket(), create_worker_app)
    assert engines[0].mode == stat.S_IRWXU
    assert not engines[0].path.parent.exists()


def test_worker_serves_the_app() -> None:
    """An HTTP worker has every route."""
    worker = create_worker_app(Settings(), Path("engine"))
    config = uvicorn.Config(worker)
    config.load()
    assert worker.title == "fillmask"
