"""What only a broken peer can bring about, on either side of the socket."""

import asyncio
from typing import TYPE_CHECKING, Self

import pytest

from service.errors.exceptions import EngineLostError
from service.processes.engine_process.client import EngineClient
from service.processes.engine_process.frames import (
    Cancel,
    Describe,
    Described,
    Done,
    Exposed,
    FrameReader,
    Request,
    encode_frame,
)

if TYPE_CHECKING:
    from pathlib import Path

    from service.processes.engine_process.conftest import Engine


class Peer:
    """An engine process whose every answer a test writes by hand."""

    def __init__(self, path: "Path") -> None:
        """Listen on a path, soon."""
        self._path = path
        self._connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_unix_server(
            lambda *streams: self._connected.put_nowait(streams), self._path
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        self._server.close()
        self.writer.close()

    async def accept(self) -> FrameReader[Request]:
        """Return what the next connection sends."""
        reader, self.writer = await self._connected.get()
        return FrameReader(reader, Request)


async def test_answers_find_their_calls_in_any_order(path: "Path") -> None:
    """The number of a call is all that binds an answer to it."""
    client = EngineClient(path)
    async with Peer(path) as peer:
        calls = [asyncio.create_task(client.call(Describe(), Described)) for _ in range(3)]
        requests = await peer.accept()
        frames = [await requests.read() for _ in calls]
        numbers = [frame[0] for frame in frames if frame]
        for number in reversed(numbers):
            peer.writer.write(encode_frame(number, Described([{"number": number}])))
        answers = await asyncio.gather(*calls)
        await client.close()
    assert [answer.presets[0]["number"] for answer in answers] == numbers


async def test_cancelled_call_is_cancelled_over_there(path: "Path") -> None:
    """And an answer that comes all the same is nobody's."""
    client = EngineClient(path)
    async with Peer(path) as peer:
        call = asyncio.create_task(client.call(Describe(), Described))
        requests = await peer.accept()
        asked = await requests.read()
        call.cancel()
        cancelled = await requests.read()
        assert asked
        assert cancelled == (asked[0], Cancel())
        peer.writer.write(encode_frame(asked[0], Described([])))
        other = asyncio.create_task(client.call(Describe(), Described))
        asked = await requests.read()
        assert asked
        peer.writer.write(encode_frame(asked[0], Described([])))
        assert await other == Described([])
        await client.close()


async def test_answer_of_another_kind_is_an_error(path: "Path") -> None:
    """No caller takes what it did not ask for."""
    client = EngineClient(path)
    async with Peer(path) as peer:
        call = asyncio.create_task(client.call(Describe(), Described))
        asked = await (await peer.accept()).read()
        assert asked
        peer.writer.write(encode_frame(asked[0], Exposed(b"")))
        with pytest.raises(TypeError):
            await call
        await client.close()


async def test_what_is_no_frame_ends_the_connection(path: "Path") -> None:
    """Nothing after it can be read, so nobody waits for it."""
    client = EngineClient(path)
    async with Peer(path) as peer:
        call = asyncio.create_task(client.call(Describe(), Described))
        await (await peer.accept()).read()
        peer.writer.write(b"\0\0\0\1\xc1")
        with pytest.raises(EngineLostError):
            await call


async def test_caller_that_leaves_as_the_connection_ends_is_cancelled(path: "Path") -> None:
    """Both in one turn of the loop: there is nobody to tell, and nobody to be told."""
    client = EngineClient(path)
    async with Peer(path) as peer:
        call = asyncio.create_task(client.call(Describe(), Described))
        await (await peer.accept()).read()
        assert client._connection
        client._connection._reading.cancel()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_client_that_never_called_closes() -> None:
    """There is nothing to close."""
    await EngineClient("nowhere").close()  # type: ignore[arg-type]


async def test_server_outlives_a_worker_that_sends_no_frames(
    engine: "Engine", caller: EngineClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It hangs up, says so in the log, and serves the others."""
    reader, writer = await asyncio.open_unix_connection(engine.path)
    writer.write(b"\0\0\0\1\xc1")
    assert await reader.read() == b""
    writer.close()
    assert "frame_refused" in caplog.text
    assert (await caller.call(Describe(), Described)).presets


async def test_cancelling_what_is_answered_changes_nothing(engine: "Engine") -> None:
    """The cancellation and the answer may cross."""
    reader, writer = await asyncio.open_unix_connection(engine.path)
    for number, request in ((1, Describe()), (7, Cancel()), (2, Describe())):
        writer.write(encode_frame(number, request))
    answers: FrameReader[Described | Done] = FrameReader(reader, Described | Done)
    answered = [await answers.read() for _ in range(2)]
    assert sorted(frame[0] for frame in answered if frame) == [1, 2]
    writer.close()
