"""A server of this machine for the length of a measurement, and callers of it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any

from pydantic_core import from_json, to_json

from service.commands.sentences import CommandError

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 600.0
_CALL_TIMEOUT_S = 120.0
_POLL_S = 0.1
_KEYS = {"FILLMASK_API_KEYS", "FILLMASK_API_KEYS_FILE"}
SERVE = (sys.executable, "-m", "service.commands", "serve")


@contextmanager
def serving(preset: str, command: Sequence[str] = SERVE) -> Iterator[int]:
    """Serve a preset, without keys, and yield the port where it answers.

    Raises:
        CommandError: it ends, or is not ready in ten minutes.
    """
    port = _find_free_port()
    env = {name: value for name, value in os.environ.items() if name.upper() not in _KEYS} | {
        "FILLMASK_HOST": _HOST,
        "FILLMASK_PORT": str(port),
        "FILLMASK_DEFAULT_PRESET": preset,
        "FILLMASK_SHUTDOWN_NOTICE_S": "0",
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(  # noqa: S603  # nosec B603  # our own command
            command, env=env, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            if not _wait(port, process):
                output.seek(0)
                said = output.read().strip().splitlines()
                message = f"The server did not start: {said[-1] if said else 'it said nothing'}"
                raise CommandError(message)
            yield port
        finally:
            process.terminate()
            process.wait()


@contextmanager
def callers(port: int, body: dict[str, Any], count: int) -> Iterator[list["Caller"]]:
    """Yield callers, each with a connection of its own, which is kept."""
    with ExitStack() as stack:
        made = [Caller(port, body) for _ in range(count)]
        for each in made:
            stack.callback(each.close)
        yield made


class Caller:
    """Calls the native route again and again."""

    def __init__(self, port: int, body: dict[str, Any]) -> None:
        """Call a port of this machine."""
        self._connection = HTTPConnection(_HOST, port, timeout=_CALL_TIMEOUT_S)
        self._body = to_json(body)

    def __call__(self) -> None:
        """Call once.

        Raises:
            CommandError: the server refuses.
        """
        headers = {"content-type": "application/json"}
        self._connection.request("POST", "/fill-mask", self._body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != HTTPStatus.OK:
            raise CommandError(str(from_json(content)["error"]))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Say whether a server becomes ready, as soon as it is known."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection(_HOST, port, timeout=_CALL_TIMEOUT_S)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == HTTPStatus.OK:
                return True
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_POLL_S)
    return False


def _find_free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
