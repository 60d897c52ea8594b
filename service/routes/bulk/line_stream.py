"""Answers that go out in order while lines still come in.

A line is read when there is room for it in the window: so many lines and so many bytes have been
read and are not answered yet. Who takes no answers is sent no more, and is soon read no further.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from service.errors.exceptions import ServiceError
from service.middleware.body.lines import LINES_TYPE
from service.routes.bulk.line_splitter import LineSplitter


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """What is written of one line; nothing follows the last one, whatever else was asked."""

    content: bytes
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class LineLimits:
    """How much of a stream may be in work, and how long one line may be."""

    max_lines: int
    max_bytes: int


AnswerLine = Callable[[int, bytes | None], Coroutine[Any, Any, LineAnswer]]
"""Answers a line by its number, from 1 on; None is one that was too long. It never raises."""

TellError = Callable[[int, Exception], LineAnswer]
"""Writes, in place of a line, why no more can be read."""


class LineStream(Response):
    """The answers to the lines of a request's body."""

    media_type = LINES_TYPE

    def __init__(self, answer: AnswerLine, tell: TellError, limits: LineLimits) -> None:
        """Answer each line by itself."""
        super().__init__()
        del self.headers["content-length"]
        self._answer = answer
        self._tell = tell
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer and write until all is written, or the caller is gone."""
        del scope
        window = _Window(self._limits)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(receive, window, group), name="lines")
                await self._write(window, send)
        except* _EndOfStreamError:
            pass

    async def _read(self, receive: Receive, window: "_Window", group: asyncio.TaskGroup) -> None:
        number = 0
        try:
            async for line in _read_lines(receive, self._limits.max_bytes):
                number += 1
                size = len(line or b"")
                await window.wait_for_room(size)
                window.add(group.create_task(self._answer(number, line), name="line"), size)
        except ServiceError as error:
            told: asyncio.Future[LineAnswer] = asyncio.get_running_loop().create_future()
            told.set_result(self._tell(number + 1, error))
            window.add(told, 0)
        window.close()

    async def _write(self, window: "_Window", send: Send) -> None:
        # Not before the first answer: who asked whether to go on has been told so by then.
        start: Message | None = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        while (line := await window.next()) is not None:
            answer = await line.answer
            if start is not None:
                await send(start)
                start = None
            await send(_body(answer.content, more=not answer.is_last))
            if answer.is_last:
                raise _EndOfStreamError
            window.free(line)
        if start is not None:
            await send(start)
        await send(_body(b"", more=False))


class _EndOfStreamError(Exception):
    """Nobody wants more, or may have it."""


def _body(content: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _read_lines(receive: Receive, max_line_bytes: int) -> AsyncIterator[bytes | None]:
    splitter = LineSplitter(max_line_bytes)
    is_complete = False
    while not is_complete:
        message = await receive()
        if message["type"] != "http.request":
            raise _EndOfStreamError
        for line in splitter.feed(message.get("body", b"")):
            yield line
        is_complete = not message.get("more_body", False)
    for line in splitter.end():
        yield line


@dataclass(frozen=True, slots=True)
class _Line:
    answer: asyncio.Future[LineAnswer]
    size: int


class _Window:
    """The lines that were read and are not written yet, in order."""

    def __init__(self, limits: LineLimits) -> None:
        self._limits = limits
        self._waiting: deque[_Line] = deque()
        self._lines = 0
        self._bytes = 0
        self._is_closed = False
        self._changed = asyncio.Event()

    async def wait_for_room(self, size: int) -> None:
        """Wait until one more line of so many bytes may be in work; a lone one always may."""
        while self._lines and (
            self._lines >= self._limits.max_lines or self._bytes + size > self._limits.max_bytes
        ):
            await self._wait()

    async def next(self) -> _Line | None:
        """Return the oldest line that was not returned, or None after the last."""
        while not self._waiting:
            if self._is_closed:
                return None
            await self._wait()
        return self._waiting.popleft()

    def add(self, answer: asyncio.Future[LineAnswer], size: int) -> None:
        self._waiting.append(_Line(answer, size))
        self._lines += 1
        self._bytes += size
        self._changed.set()

    def free(self, line: _Line) -> None:
        self._lines -= 1
        self._bytes -= line.size
        self._changed.set()

    def close(self) -> None:
        self._is_closed = True
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
