"""A real server in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from keys import ADMIN_KEY

START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 120
PATIENCE_S = 300
"""How long a test waits for what comes at once: a machine that is busy may take a hundred times."""

_POLL_S = 0.1
_OURS = Path(sys.executable).with_name("fillmask")


ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}
"""The headers of who may load and unload."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: where, over HTTP.
        process: what it runs in.
        output: the file that it writes its log to.
        grpc: where, over gRPC, if it does.
    """

    url: str
    process: subprocess.Popen[bytes]
    output: Path
    grpc: str


@contextmanager
def start_server(
    env: Mapping[str, str], tmp_path: Path, program: Path = _OURS, port: int | None = None
) -> Iterator[RunningServer]:
    """Run `fillmask serve` on a free port of this machine, from its first answer to the end.

    Args:
        env: settings, over the defaults; the settings of the test run itself are not passed on.
        tmp_path: where its output goes, into `server.log`.
        program: the `fillmask` of an environment.
        port: where it listens, if not on a free one.
    """
    with (
        nullcontext(port) if port else reserved_port() as ours,
        _run_server(env, tmp_path, program, ours) as running,
    ):
        yield running


@contextmanager
def _run_server(
    env: Mapping[str, str], tmp_path: Path, program: Path, port: int
) -> Iterator[RunningServer]:
    output = tmp_path / "server.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    # One for all servers of a test run: a conversion takes seconds.
    defaults = {
        "FILLMASK_CACHE_DIR": str(tmp_path.parent / "converted"),
        "FILLMASK_ADMIN_KEYS": ADMIN_KEY,
        # Answers are held against Transformers' and each other's, on any processor.
        "FILLMASK_PRECISION": "float32",
        # What is slow because the machine is busy is not wrong.
        "FILLMASK_REQUEST_TIMEOUT_S": str(PATIENCE_S),
        # No balancer looks.
        "FILLMASK_SHUTDOWN_NOTICE_S": "0",
    }
    command = [str(program), "serve", "--port", str(port)]
    with output.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            command,
            env={**inherited, **defaults, **env},
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, output)
        grpc = f"127.0.0.1:{env.get('FILLMASK_GRPC_PORT', '')}"
        yield RunningServer(url, process, output, grpc)
    finally:
        stop(process)


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Keep a port for whoever is told of it, for the length of a block.

    A server takes seconds until it listens, in which the port could become another process'. Here
    a socket is bound to it and does not listen: Linux lets those bind it too who allow that
    (`SO_REUSEADDR`), as servers do, and gives it to nobody who asks for any free one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, 0))
        yield holder.getsockname()[1]


def find_free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force where it does not listen."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    seen = "nothing"
    # With a key, which is asked for where probes are not open.
    client = httpx.Client(base_url=url, headers=ADMIN, trust_env=False, timeout=START_TIMEOUT_S)
    with client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                response = client.get("/readyz")
            except httpx.TransportError as error:
                seen = repr(error)
            else:
                if response.is_success:
                    return
                seen = response.text
            time.sleep(_POLL_S)
    message = f"The server is not ready ({seen}); its output:\n{output.read_text()}"
    raise AssertionError(message)
