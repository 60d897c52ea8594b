"""The servers that are measured, and how one is started and ended."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.sentences import Body

_ROOT = Path(__file__).parent.parent
_START_SECONDS = 480.0
"""What a first start may take: models are converted, graphs compiled."""
_STOP_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


def _send_as_is(body: Body) -> Body:
    return body


@dataclass(frozen=True, slots=True)
class Server:
    """A candidate.

    Attributes:
        name: as the table has it.
        command: what to run, `{port}` and `{preset}` filled in.
        path: the route that fills masks.
        program: what runs the command: Python, if nothing else is said.
        root: the checkout that it runs in.
        settings: environment variables of its own.
        translate: makes its body of ours.
        reader: how its answers are read, a name in `bench.readers`.
    """

    name: str
    command: tuple[str, ...]
    path: str = "/fill-mask"
    program: Path = Path(sys.executable)
    root: Path = _ROOT
    settings: tuple[tuple[str, str], ...] = ()
    translate: Callable[[Body], Body] = _send_as_is
    reader: str = ""


_UVICORN = ("-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "--no-access-log")

FILLMASK = Server("fillmask", ("-m", "service.commands", "serve", "--port", "{port}"))
ECHO = Server("bare FastAPI echo", (*_UVICORN, "bench.peers.echo:app"))
PEERS = [
    Server("pipeline + FastAPI", (*_UVICORN, "bench.peers.fastapi_pipeline:app")),
    Server("LitServe", ("-m", "bench.peers.litserve_pipeline")),
    Server("Ray Serve", ("-m", "bench.peers.ray_serve_pipeline")),
]
"""MLServer is not among them: its Hugging Face runtime 1.7.1 does not start.

It imports `Conversation` from Transformers, and 4.53.3, to which its requirements lead, has none.
"""


class ServerStartError(Exception):
    """A server did not answer in time, or ended."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that was started, and what it writes."""

    process: "subprocess.Popen[bytes]"
    output: IO[str]

    def pause(self) -> None:
        """Take the cores from it: some servers poll while they have nothing to do."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in list_session(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def read_output(self) -> str:
        """Return all that it has written so far."""
        number = self.output.fileno()
        # Where it writes on stays as it is: it shares that place with this process.
        return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")


def exchange(server: Server, port: int, body: Body) -> bytes:
    """Send one body; return the answer in full, its head too."""
    content = json.dumps(server.translate(body)).encode()
    head = f"POST {server.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120.0) as connection:
        connection.sendall(head.encode() + content)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def post(server: Server, port: int, body: Body, timeout: float = 120.0) -> tuple[int, Any]:
    """Send one body; return the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        content = json.dumps(server.translate(body))
        connection.request("POST", server.path, content, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_answer(server: Server, process: "subprocess.Popen[bytes]", port: int) -> None:
    """Return when a server fills a mask.

    Raises:
        ServerStartError: it does not.
    """
    deadline = time.monotonic() + _START_SECONDS
    status: object = "no answer"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"{server.name} ended with {process.returncode}"
            raise ServerStartError(message)
        try:
            status, _ = post(server, port, {"inputs": "It is [MASK].", "top_k": 5})
        except OSError:
            status = "no answer"
        if status == 200:
            return
        if status == 500:
            message = f"{server.name} answers with 500"
            raise ServerStartError(message)
        time.sleep(0.3)
    message = f"{server.name} was not ready after {_START_SECONDS:.0f} s: {status}"
    raise ServerStartError(message)


Wait = Callable[[Server, "subprocess.Popen[bytes]", int], None]


@contextmanager
def run_server(
    server: Server, preset: Path, port: int, wait: Wait = wait_answer
) -> Iterator[RunningServer]:
    """Start a server on a preset, wait until it fills a mask, and end it afterwards.

    Raises:
        ServerStartError: it does not.
    """
    _require_free(port)
    if not server.program.exists():
        message = f"{server.program.name} is not installed; the Makefile has a target that does it"
        raise ServerStartError(message)
    environment = os.environ | {
        "PORT": str(port),
        "MODEL_DIR": str(preset),
        "FILLMASK_MODEL_STORE_DIR": str(preset.parent),
        "FILLMASK_DEFAULT_PRESET": preset.name,
        "FILLMASK_OFFLINE": "1",
        # Everything waits in the queue, as it does in the peers, which have no limit.
        "FILLMASK_MAX_QUEUE_SIZE": "100000",
        "HF_HUB_OFFLINE": "1",
        "RAY_ADDRESS": "local",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        **dict(server.settings),
    }
    if server.root != _ROOT:
        # Another checkout runs its own packages, not those of this one.
        environment.pop("PYTHONPATH", None)
    arguments = [word.format(port=port, preset=preset) for word in server.command]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(  # nosec B603  # our own programs
            [server.program, *arguments],
            cwd=server.root,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running = RunningServer(process, output)
        try:
            wait(server, process, port)
            yield running
        except ServerStartError as error:
            output.seek(0)
            message = f"{error}; its last words: {' '.join(output.read()[-600:].split())}"
            raise ServerStartError(message) from None
        finally:
            running.resume()
            _stop(process)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            message = f"port {port} is taken: another server would be measured"
            raise ServerStartError(message)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server as Ctrl-C does, then what is left of its session.

    Servers of several processes leave some behind, which would answer in place of the next.
    """
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    for pid in list_session(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def list_session(session: int) -> Iterator[int]:
    """Yield the processes of the session that a server was started in: it and its children only."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            pid = int(folder.name)
            if os.getsid(pid) == session:
                yield pid


def count_seconds(running: RunningServer) -> float:
    """Return the processor time that a server has taken so far."""
    ticks = 0
    for pid in list_session(running.process.pid):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
