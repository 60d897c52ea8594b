"""A server under load: speed, memory, and what XLA compiles after it said that it is ready."""

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.gpu_check.memory import read_card, read_processes, watched
from bench.gpu_check.plan import CheckPlan
from bench.load import Job
from bench.sentences import make_bodies
from bench.server_load import send_load
from bench.servers import FILLMASK, Server, ServerStartError, run_server
from bench.shapes import locate_preset

if TYPE_CHECKING:
    import subprocess

_BODIES = 320
_COMPILED = "Finished XLA compilation"
_PAUSE_SECONDS = 0.3
_START_SECONDS = 180.0


def measure_server(plan: CheckPlan, store: Path, engine: str, workers: int) -> dict[str, Any]:
    """Return what a server of so many workers did.

    Raises:
        ServerStartError: it did not start.
    """
    settings = {
        "FILLMASK_ENGINE": engine,
        "FILLMASK_PRECISION": plan.precision,
        "FILLMASK_WORKERS": str(workers),
        "FILLMASK_MAX_BATCH_TOKENS": str(plan.served_tokens),
        "FILLMASK_LOG_FORMAT": "json",
        "JAX_LOG_COMPILES": "1",
    }
    before, port = read_card(), find_port()
    preset = locate_preset(plan.served, store)
    begun = time.perf_counter()
    with set_environment(settings), run_server(FILLMASK, preset, port, wait_ready) as running:
        ready_seconds = time.perf_counter() - begun

        def read_memory() -> int:
            card = read_card()
            if card is None or before is None:
                return read_processes(running.process.pid)
            return card - before

        compiled, loaded = count_compilations(running.read_output()), read_memory()
        bodies = [json.dumps(body) for body in make_bodies(_BODIES, 1)]
        job = Job(port, FILLMASK.path, bodies, plan.callers, seconds=plan.load_seconds)
        with watched(read_memory) as most:
            report = send_load(FILLMASK, job)
        after = count_compilations(running.read_output()) - compiled
    return {
        "requests_per_second": report.rate,
        "p50": report.p50,
        "p99": report.p99,
        "answers": report.answers,
        "errors": report.errors,
        "ready_seconds": ready_seconds,
        "loaded_bytes": loaded,
        "most_bytes": most[0],
        "compiled_before": compiled,
        "compiled_after": after,
    }


def find_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def count_compilations(output: str) -> int:
    """Return how many programs XLA has compiled, as JAX tells."""
    return output.count(_COMPILED)


def wait_ready(server: Server, process: "subprocess.Popen[bytes]", port: int) -> None:
    """Return when `/readyz` says so: nothing is asked before, so nothing else is compiled.

    Raises:
        ServerStartError: it ended, or it cannot load its preset.
    """
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if read_status(port) == http.client.OK:
            return
        time.sleep(_PAUSE_SECONDS)
    # Workers that cannot start are started again, so their parent may live on.
    message = f"{server.name} was not ready after {_START_SECONDS:.0f} s, or ended"
    raise ServerStartError(message)


def read_status(port: int) -> int | None:
    """Return what `/readyz` answers, or None where nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@contextmanager
def set_environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for what is started meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
