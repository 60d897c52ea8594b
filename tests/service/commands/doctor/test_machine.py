"""This machine, as the doctor asks it."""

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from service.commands.doctor import machine
from service.commands.doctor.machine import Machine


def test_text_is_read_where_it_can_be(tmp_path: Path) -> None:
    """Else there is none."""
    (tmp_path / "text").write_text("a")
    (tmp_path / "bytes").write_bytes(b"\xff")
    assert [machine.read_text(tmp_path / name) for name in ("text", "bytes", "no")] == ["a", "", ""]


def test_version_is_that_of_a_package() -> None:
    """Or none."""
    assert machine.find_version("pytest") == pytest.__version__
    assert machine.find_version("no-such-package") is None


def test_room_is_that_of_where_a_directory_would_be(tmp_path: Path) -> None:
    """Nothing is made."""
    free = machine.find_free_bytes(tmp_path / "not" / "there")
    assert free is not None
    assert free > 0
    assert list(tmp_path.iterdir()) == []


def test_room_that_nobody_may_use_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However much it is."""
    monkeypatch.setattr("os.access", lambda *_: False)
    assert machine.find_free_bytes(tmp_path) is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", None),
        ("raise ImportError('libcuda is missing')", "ImportError: libcuda is missing"),
        ("import os; os._exit(3)", "it ends with the status 3"),
    ],
)
def test_module_is_imported_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, reason: str | None
) -> None:
    """Why it cannot be is what Python says last, or how its process ends."""
    (tmp_path / "an_engine.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert machine.explain_import("an_engine") == reason
    assert "an_engine" not in sys.modules


def test_import_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor's patience ends."""

    def hang(*_: Any, timeout: float, **__: Any) -> None:
        msg = "python"
        raise subprocess.TimeoutExpired(msg, timeout)

    monkeypatch.setattr("subprocess.run", hang)
    assert machine.explain_import("an_engine") == "it takes more than 120 s"


def test_who_answers_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """And who refuses, or does not answer in time, is not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert machine.can_connect("127.0.0.1", port)
    monkeypatch.setattr(machine, "_CONNECTION_TIMEOUT_S", 0.01)
    assert not machine.can_connect("127.0.0.1", port)
    held = threading.Event()

    def hold(*_: Any) -> None:
        held.wait()
        raise OSError

    monkeypatch.setattr("socket.create_connection", hold)
    assert not machine.can_connect("127.0.0.1")
    held.set()


def test_machine_is_this_one() -> None:
    """If nobody says otherwise."""
    here = Machine()
    assert here.requirements
    assert here.cores >= 1
    assert here.system
    assert here.python.startswith("3.")
