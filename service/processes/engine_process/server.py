"""The side of the engine process: calls come in, a model host answers them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from socket import socket

import structlog

from service.processes.engine_process.frames import (
    Cancel,
    FrameError,
    FrameReader,
    Observed,
    Question,
    Request,
)
from service.processes.engine_process.responder import Responder
from service.processes.model_host import ModelHost

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class EngineServer:
    """Answers the calls of HTTP workers, each in a task of its own."""

    def __init__(self, host: ModelHost) -> None:
        """Answer with a model host."""
        self._responder = Responder(host)

    @asynccontextmanager
    async def listen(self, listener: socket) -> AsyncIterator[None]:
        """Take connections for the length of a block; those that are left then are closed."""
        connections: set[asyncio.Task[None]] = set()

        def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = asyncio.create_task(self._serve(reader, writer), name="connection")
            connections.add(connection)
            connection.add_done_callback(connections.discard)

        server = await asyncio.start_unix_server(start, sock=listener)
        try:
            yield
        finally:
            server.close()
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one worker until it leaves; what it still waited for is dropped then."""
        calls: dict[int, asyncio.Task[None]] = {}
        requests: FrameReader[Request] = FrameReader(reader, Request)
        try:
            while frame := await requests.read():
                number, request = frame
                if isinstance(request, Observed):
                    self._responder.count(request)
                elif isinstance(request, Cancel):
                    if number in calls:
                        calls[number].cancel()
                else:
                    call = asyncio.create_task(self._call(number, request, writer), name="call")
                    calls[number] = call
                    call.add_done_callback(partial(_forget, calls, number))
        except FrameError:
            _LOG.exception("frame_refused")
        finally:
            under_way = list(calls.values())
            for call in under_way:
                call.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            writer.close()

    async def _call(self, number: int, request: Question, writer: asyncio.StreamWriter) -> None:
        # Not drained: there are no more answers than calls, and those are limited.
        writer.write(await self._responder.answer(number, request))


def _forget(calls: dict[int, asyncio.Task[None]], number: int, _: asyncio.Task[None]) -> None:
    del calls[number]
