"""Faults of the real thing: processes that hang, files that vanish, signals under load."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import PATIENCE_S, RunningServer, start_server
from e2e.test_workers import find_engine, read_events, wait_until
from model_store.fetching.resolver import embedded_directory

SENTENCE = "The capital of France is [MASK]."
_ROOT = Path(__file__).parents[2]


def post(server: RunningServer, timeout_s: str = str(PATIENCE_S), **body: Any) -> httpx.Response:
    """Send a native request whose caller waits for so long."""
    return httpx.post(
        f"{server.url}/fill-mask",
        json={"inputs": SENTENCE} | body,
        headers={"x-request-timeout-s": timeout_s},
        timeout=PATIENCE_S,
        trust_env=False,
    )


def get(server: RunningServer, route: str) -> httpx.Response:
    """Ask a route."""
    return httpx.get(f"{server.url}{route}", timeout=PATIENCE_S, trust_env=False)


def test_engine_process_that_hangs_is_not_ready_until_it_goes_on(tmp_path: Path) -> None:
    """Nobody waits beyond the deadline, and nothing is lost for good."""
    env = {"FILLMASK_WORKERS": "2", "FILLMASK_READY_TIMEOUT_S": "0.5"}
    with start_server(env, tmp_path) as server:
        before = post(server).json()
        os.kill(find_engine(server), signal.SIGSTOP)
        try:
            stuck = post(server, timeout_s="0.5")
            statuses = [get(server, route).status_code for route in ("/readyz", "/healthz")]
        finally:
            os.kill(find_engine(server), signal.SIGCONT)
        assert (stuck.status_code, stuck.json()["code"]) == (408, "caller_timeout")
        assert statuses == [504, 200]
        assert post(server).json() == before
        wait_until(lambda: get(server, "/readyz").status_code == 200)


def test_engine_process_that_hangs_is_replaced(tmp_path: Path) -> None:
    """By one that answers as it did; the log says why."""
    env = {"FILLMASK_WORKERS": "2", "FILLMASK_ENGINE_HANG_TIMEOUT_S": "10"}
    with start_server(env, tmp_path) as server:
        before, hung = post(server).json(), find_engine(server)
        os.kill(hung, signal.SIGSTOP)
        # It waits for the one that hangs, whose end is its own.
        assert post(server).json()["code"] == "engine_lost"
        assert post(server).json() == before
        assert find_engine(server) != hung
        of_engine = [
            e for e in read_events(server) if e["event"] in {"engine_hung", "engine_ended"}
        ]
        assert [(e["event"], e["pid"]) for e in of_engine] == [
            ("engine_hung", hung),
            ("engine_ended", hung),
        ]


def test_preset_whose_directory_is_removed_goes_on_answering(tmp_path: Path) -> None:
    """What is loaded needs no files; what is not says so."""
    store = tmp_path / "presets"
    shutil.copytree(embedded_directory(), store / "mine")
    shutil.copytree(embedded_directory(), store / "unused")
    with start_server({"FILLMASK_MODEL_STORE_DIR": str(store)}, tmp_path) as server:
        before = post(server, preset="mine").json()
        shutil.rmtree(store)
        assert post(server, preset="mine").json() == before
        missing = post(server, preset="unused")
        assert (missing.status_code, missing.json()["code"]) == (404, "preset_not_found")


@pytest.mark.parametrize(
    ("what", "flag", "few"),
    [
        ("hang-ups", "--callers", "200"),
        pytest.param("terminations", "--times", "2", marks=pytest.mark.slow),
    ],
)
def test_measurement_finds_nothing_lost(what: str, flag: str, few: str) -> None:
    """A few of the thousands that the whole measurement has."""
    figures = measure(what, flag, few)
    if what == "hang-ups":
        assert figures["after"]["queue"] == 0
        assert figures["after"]["sockets"] <= figures["before"]["sockets"]
        assert figures["cancelled"] > 0
        assert figures["next_answer_is_right"]
    else:
        assert set(figures["answers"]) <= {"right", "503"}
        assert figures["exit_statuses"] == {"0": 2}


@pytest.mark.slow
def test_overload_is_refused_and_what_is_accepted_is_right() -> None:
    """A few seconds of the minutes that the whole measurement has."""
    figures = measure("overload", "--seconds", "5")
    assert figures["wrong_answers"] == 0
    assert figures["accepted"] > 0
    assert figures["refused"] > 0


def measure(what: str, *flags: str) -> Any:
    """Run a measurement and return its figures."""
    command = [sys.executable, "-m", "bench.reliability", what, *flags]
    result = subprocess.run(  # noqa: S603  # our own command
        command, cwd=_ROOT, stdout=subprocess.PIPE, timeout=1200, check=True
    )
    return json.loads(result.stdout)
