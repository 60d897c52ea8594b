"""The log of real servers: of one process, and of several."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import PATIENCE_S, RunningServer, start_server
from e2e.test_workers import read_events, wait_until

SECRET = "xyzzy"  # noqa: S105  # it stands for one


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_every_line_is_an_event(tmp_path: Path, workers: str) -> None:
    """From the start to the end of every process, without a word of callers."""
    env = {
        "FILLMASK_WORKERS": workers,
        "FILLMASK_ACCESS_LOG": "true",
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_LOG_FORMAT": "json",
    }
    with start_server(env, tmp_path) as server:
        answer = httpx.post(
            f"{server.url}/fill-mask?q={SECRET}",
            json={"inputs": f"{SECRET} [MASK]"},
            headers={"x-request-id": "mine", "authorization": SECRET},
            timeout=PATIENCE_S,
            trust_env=False,
        )
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")
    assert server.process.returncode == 0
    events = read_events(server)
    [request] = [event for event in events if event.get("request_id") == "mine"]
    assert (request["event"], request["route"], request["status"]) == ("request", "/fill-mask", 200)
    assert all(event.keys() >= {"event", "level", "logger", "timestamp"} for event in events)
    names = [event["event"] for event in events]
    assert set(names) >= {"Application startup complete.", "server_ready", "preset_loaded"}
    assert names.index("preset_loaded") < names.index("server_ready")
    assert [is_engine_start(event) for event in events].count(True) == (workers == "2")
    assert SECRET not in server.output.read_text("utf-8")


@pytest.mark.slow
def test_every_line_of_a_first_start_and_of_every_end_is_an_event(tmp_path: Path) -> None:
    """A conversion, processes that are killed and replaced, and the signal to all at once."""
    env = {
        "FILLMASK_WORKERS": "2",
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_LOG_FORMAT": "json",
        "FILLMASK_CACHE_DIR": str(tmp_path / "empty"),
    }
    with start_server(env, tmp_path) as server:
        engine = next(e["pid"] for e in read_events(server) if e["event"] == "engine_started")
        os.kill(engine, signal.SIGKILL)
        wait_until(lambda: len([e for e in read_events(server) if is_engine_start(e)]) == 2)
        wait_until(lambda: is_ready(server))
    assert server.process.returncode == 0
    assert {"engine_ended", "preset_loaded"} <= {event["event"] for event in read_events(server)}


def is_ready(server: RunningServer) -> bool:
    """Say whether a server is ready."""
    return httpx.get(f"{server.url}/readyz", timeout=PATIENCE_S, trust_env=False).is_success


def is_engine_start(event: dict[str, Any]) -> bool:
    """Say whether an engine process was started."""
    return event["event"] == "engine_started" and event["pid"] > 0
