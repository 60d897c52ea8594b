"""The side of an HTTP worker: one connection, many calls under way on it."""

import asyncio
from itertools import count
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace
from structlog.contextvars import get_contextvars

from service.errors.exceptions import EngineLostError
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Answer,
    Cancel,
    Failed,
    FrameError,
    FrameReader,
    Question,
    Request,
    encode_frame,
)
from service.processes.engine_process.wire_errors import load_error

Expected = TypeVar("Expected", bound=Answer)


class EngineClient:
    """Calls the engine process, connecting whenever there is no connection.

    The parent of all processes holds the listening socket. So connecting succeeds while the engine
    process starts or starts anew, and a call that is made then waits for it.
    """

    def __init__(self, path: Path) -> None:
        """Connect to the Unix socket of a path, later."""
        self._path = path
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None

    async def call(self, request: Question, kind: type[Expected]) -> Expected:
        """Return the answer to a request, of the kind that belongs to it.

        Whatever the log says of it over there bears the ids that the log has here.

        A caller that is cancelled cancels the call over there.

        Raises:
            EngineLostError: the engine process ended before it answered.
            Exception: what it answered, as `wire_errors` reads it.
        """
        connection = await self._connect()
        return expect(await connection.call(with_ids(request)), kind)

    async def tell(self, message: Request) -> None:
        """Send what has no answer.

        Raises:
            EngineLostError: there is no engine process, and none will come.
        """
        connection = await self._connect()
        connection.send(NO_ANSWER, message)

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        if self._connection:
            await self._connection.close()

    async def _connect(self) -> "_Connection":
        async with self._connecting:
            if self._connection is None or self._connection.is_lost:
                try:
                    streams = await asyncio.open_unix_connection(self._path)
                except OSError as error:
                    raise EngineLostError from error
                self._connection = _Connection(*streams)
            return self._connection


def with_ids(request: Question) -> Question:
    """Return a request that is made for whatever the log is about here."""
    return replace(request, ids=get_contextvars())


def expect(answer: Answer, kind: type[Expected]) -> Expected:
    """Return an answer if it is of a kind.

    Raises:
        Exception: it is an error, and this is what it says.
    """
    if isinstance(answer, Failed):
        raise load_error(answer)
    if not isinstance(answer, kind):
        raise TypeError(answer)
    return answer


class _Connection:
    """One connection and the calls that wait on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_lost = False
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._numbers = count(NO_ANSWER + 1)
        self._reading = asyncio.create_task(self._read(FrameReader(reader, Answer)), name="answers")

    async def call(self, request: Request) -> Answer:
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self.send(number, request)
            return await answer
        except asyncio.CancelledError:
            if not self.is_lost:
                self.send(number, Cancel())
            raise
        finally:
            del self._waiting[number]

    def send(self, number: int, message: Request) -> None:
        # Not drained: every request of a caller waits for its answer, and callers are limited.
        self._writer.write(encode_frame(number, message))

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, answers: FrameReader[Answer]) -> None:
        try:
            while frame := await answers.read():
                number, answer = frame
                waiting = self._waiting.get(number)
                if waiting and not waiting.done():
                    waiting.set_result(answer)
        except FrameError:
            pass  # nothing after it can be read
        finally:
            self.is_lost = True
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(EngineLostError())
