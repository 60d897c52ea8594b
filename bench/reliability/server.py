"""A real server in a process of its own, and what the system says of it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.reliability.http_client import LostAnswerError, ask_once

_START_S = 300.0
_STOP_S = 60.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def resident_bytes(self) -> int:
        """The memory that the process has in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        [kilobytes] = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        return int(kilobytes) * 1024

    @property
    def sockets(self) -> int:
        """How many sockets the process has open."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        targets = (str(path.readlink()) for path in folder.iterdir())
        return sum(target.startswith("socket:") for target in targets)

    async def read_metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        return read_sum((await ask_once(self.port, "GET", "/metrics")).body.decode(), name)


def read_sum(exposed: str, name: str) -> float:
    """Return the sum of a metric over its labels, from what `/metrics` shows."""
    pattern = rf"^{name}(?:{{[^}}]*}})? (\S+)$"
    return sum(float(value) for value in re.findall(pattern, exposed, re.MULTILINE))


@asynccontextmanager
async def running_server(**settings: str) -> AsyncIterator[Server]:
    """Run a server with settings, by their names without the prefix, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # In bfloat16 a batch of another shape may answer by more than a thousandth otherwise.
    exact = {"precision": "float32"} | settings
    variables = {f"FILLMASK_{name.upper()}": value for name, value in exact.items()}
    process = subprocess.Popen(  # noqa: ASYNC220  # nosec B603  # our own command
        [sys.executable, "-m", "service.commands", "serve", "--port", str(port)],
        env={**os.environ, **variables},
    )
    try:
        await _wait_until_ready(port, process)
        yield Server(port, process)
    finally:
        await stop(process)


async def stop(process: subprocess.Popen[bytes]) -> int:
    """End a process that may have ended already, and return its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, _STOP_S)


async def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(_START_S):
        while process.poll() is None:
            try:
                if (await ask_once(port, "GET", "/readyz")).status == 200:
                    return
            except (OSError, LostAnswerError):
                pass
            await asyncio.sleep(_POLL_S)
    message = f"the server ended with {process.returncode} before it was ready"
    raise ChildProcessError(message)
