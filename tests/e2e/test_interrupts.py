"""Ctrl-C in a terminal, which reaches every process of a server at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.running_server import STOP_TIMEOUT_S, reserved_port


@pytest.mark.parametrize(
    ("workers", "event"), [("1", "Started server process"), ("2", "engine_started")]
)
def test_interrupt_of_a_start_leaves_no_traceback(tmp_path: Path, workers: str, event: str) -> None:
    """Wherever the imports of its processes are just then."""
    with reserved_port() as port:
        status, said = interrupt(tmp_path, port, workers, event)
    assert "Traceback" not in said
    assert status == 0


def interrupt(directory: Path, port: int, workers: str, event: str) -> tuple[int, str]:
    """Start a server, interrupt it when it has said something; return its status and words."""
    command = [str(Path(sys.executable).with_name("fillmask")), "serve"]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    settings = {
        "FILLMASK_PORT": str(port),
        "FILLMASK_WORKERS": workers,
        "FILLMASK_PRELOAD": "false",
    }
    process = subprocess.Popen(  # noqa: S603  # our own command
        command,
        env=inherited | settings,
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    said = next(line for line in process.stderr if event in line)
    while workers != "1" and not is_child_importing(process.pid):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    said += process.communicate(timeout=STOP_TIMEOUT_S)[1]
    return process.returncode, said


def is_child_importing(pid: int) -> bool:
    """Say whether a child of a process has begun to import the service."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return any("pydantic_core" in Path(f"/proc/{c}/maps").read_text("utf-8") for c in children)
