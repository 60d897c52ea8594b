"""The log of real servers: of one process, and of several."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import start_server

SECRET = "xyzzy"  # noqa: S105  # it stands for one


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_every_line_is_an_event(tmp_path: Path, workers: str) -> None:
    """From the start to the end of every process, without a word of callers."""
    env = {"FILLMASK_WORKERS": workers, "FILLMASK_ACCESS_LOG": "true", "FILLMASK_OFFLINE": "1"}
    with start_server(env, tmp_path) as server:
        answer = httpx.post(
            f"{server.url}/fill-mask?q={SECRET}",
            json={"inputs": f"{SECRET} [MASK]"},
            headers={"x-request-id": "mine", "authorization": SECRET},
            trust_env=False,
        )
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")
    log = server.output.read_text("utf-8")
    events = [json.loads(line) for line in log.splitlines()]
    [request] = [event for event in events if event.get("request_id") == "mine"]
    assert (request["event"], request["route"], request["status"]) == ("request", "/fill-mask", 200)
    assert all(event.keys() >= {"event", "level", "logger", "timestamp"} for event in events)
    assert {event["event"] for event in events} >= {"Application startup complete."}
    assert [is_engine_start(event) for event in events].count(True) == (workers == "2")
    assert SECRET not in log


def is_engine_start(event: dict[str, Any]) -> bool:
    """Say whether an engine process was started."""
    return event["event"] == "engine_started" and event["pid"] > 0
