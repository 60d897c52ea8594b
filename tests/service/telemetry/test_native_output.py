"""Libraries that write to stderr by themselves end up in the log, and nothing of ours does."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.native_output import logged_native_output

CRASH = """
import ctypes, sys
from service.telemetry.native_output import logged_native_output
with logged_native_output():
    ctypes.string_at(0)
"""


@contextmanager
def real_stderr() -> Iterator[None]:
    """Let Python write to the descriptor that libraries write to, as outside of tests."""
    # In the test itself: pytest takes stderr over anew when the set-up is over.
    with open(2, "w", closefd=False) as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        yield


def test_line_of_a_library_is_an_event(capfd: pytest.CaptureFixture[str]) -> None:
    """At the level `debug`; what Python logs meanwhile is where it was."""
    with real_stderr(), logged_native_output():
        configure_logs(Settings(log_level="debug"))
        os.write(2, b"I0000 oneDNN is on \xff\n")
        logging.getLogger("service").info("ours")
    os.write(2, b"after\n")
    *events, after = capfd.readouterr().err.splitlines()
    told = {
        (event["level"], event["event"], event.get("text")) for event in map(json.loads, events)
    }
    assert told == {
        ("debug", "library_output", "I0000 oneDNN is on \ufffd"),
        ("info", "ours", None),
    }
    assert after == "after"


def test_line_of_a_library_is_nobodys_concern(capfd: pytest.CaptureFixture[str]) -> None:
    """Unless somebody looks for a fault."""
    with real_stderr(), logged_native_output():
        configure_logs(Settings())
        os.write(2, b"I0000 oneDNN is on\n")
    assert capfd.readouterr().err.splitlines() == []


def test_stderr_of_somebody_else_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not what libraries write to."""
    before = sys.stderr
    with logged_native_output():
        assert sys.stderr is before
        sys.stderr.write("ours")
    assert capsys.readouterr().err == "ours"


def test_process_without_stderr_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that no console was given to."""
    monkeypatch.setattr(sys, "stderr", None)
    with logged_native_output():
        assert sys.stderr is None


def test_crash_shows_where_it_happened() -> None:
    """The library that crashes tells nobody."""
    run = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", CRASH],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode < 0
    assert "string_at" in run.stderr
