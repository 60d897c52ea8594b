"""One connection, one request at a time: no client library hides a reset or a late answer."""

import asyncio
import json
from dataclasses import dataclass
from time import perf_counter
from typing import Any

_ANSWER_TIMEOUT_S = 60.0


class LostAnswerError(Exception):
    """The connection ended after a request was sent and before its answer was there."""


class SilenceError(LostAnswerError):
    """A connection stands, and nothing comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long after the request; seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """Return the body as what it says."""
        return json.loads(self.body)


class Connection:
    """A connection to a port of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over an open connection."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect.

        Raises:
            OSError: nobody listens.
        """
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout_s: float = _ANSWER_TIMEOUT_S,
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            SilenceError: there is none so long after.
            LostAnswerError: there is none.
        """
        started = perf_counter()
        self.send(method, path, body, headers)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(started)
        except TimeoutError as error:
            message = f"no answer within {timeout_s} s"
            raise SilenceError(message) from error
        except (OSError, EOFError, ValueError) as error:
            raise LostAnswerError(repr(error)) from error

    def send(
        self, method: str, path: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send a request, and leave its answer alone."""
        fields = {
            "host": "127.0.0.1",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **(headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def abort(self) -> None:
        """Hang up without a word."""
        self._writer.transport.abort()

    async def _read(self, started: float) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(status_line.split()[1]), headers, body, perf_counter() - started)


async def ask_once(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """Ask on a connection of its own."""
    connection = await Connection.open(port)
    try:
        return await connection.ask(method, path, body, headers)
    finally:
        connection.close()
