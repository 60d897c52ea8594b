"""What a client may do with a connection: real sockets on this machine, and uvicorn's protocol."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.middleware.connection import ConnectionLimits, LimitedConnection

SHORT_S = 10.0
"""A time that passes when a test says so: a busy machine would be late for any that is short."""

LONG_S = 100.0
LIMIT = 20_000
GET = b"GET / HTTP/1.1\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
MEGABYTE = b"x" * 2**20


class Application:
    """Answers with what is asked for, once `gate` is open; reads the body first if it is to."""

    def __init__(self) -> None:
        """Let everything through."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()
        self.paths: list[str] = []
        self.reads = True
        self.answer = b"ok"
        self.ended = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        self.paths.append(scope["path"])
        self.began.set()
        message = {"more_body": self.reads}
        while message.get("more_body"):
            message = await receive()
        if message.get("type") == "http.disconnect":
            self.left.set()
            return
        await self.gate.wait()
        length = str(len(self.answer)).encode()
        head = {"status": 200, "headers": [(b"content-length", length)]}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": self.answer})
        self.ended.set()


class Peer:
    """The client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take both ends of a stream."""
        self._reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Send bytes."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def read(self) -> tuple[int, dict[str, str], bytes]:
        """Return the next answer: status, headers, body."""
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split()[1]), headers, body

    async def read_error(self) -> tuple[int, str]:
        """Return status and code of the last answer: the connection ends with it."""
        status, headers, body = await self.read()
        assert headers["content-type"] == "application/json"
        assert headers["connection"] == "close"
        assert await self.rest() == b""
        answer = json.loads(body)
        assert answer.keys() == {"error", "code"}
        return status, answer["code"]

    async def rest(self) -> bytes:
        """Return all that comes until the end, however that comes."""
        content = b""
        try:
            while piece := await self._reader.read(65536):
                content += piece
        except ConnectionError:
            pass
        return content

    async def drip(self, piece: bytes) -> None:
        """Send a little for as long as anybody listens."""
        try:
            while not self._reader.at_eof():
                await self.send(piece)
                await asyncio.sleep(0)
        except ConnectionError:
            pass


class Heard(LimitedConnection):
    """A connection that counts what it hears."""

    pieces = 0

    def data_received(self, data: bytes) -> None:
        """Count a piece."""
        self.pieces += 1
        super().data_received(data)


class Server:
    """A listener with that protocol, and what uvicorn's server would keep of it."""

    def __init__(self, application: Application, listener: socket.socket) -> None:
        """Keep both."""
        self.application = application
        self.state = ServerState()
        self.counted: list[tuple[str, int]] = []
        self._listener = listener
        self._peers: list[Peer] = []

    async def open(self, **options: int) -> Peer:
        """Connect, with options of sockets."""
        connection = await self.connect(**options)
        self._peers.append(Peer(*await asyncio.open_connection(sock=connection)))
        return self._peers[-1]

    async def connect(self, **options: int) -> socket.socket:
        """Return a connection of which nothing is read unless somebody asks."""
        connection = socket.socket()
        for name, value in options.items():
            connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        connection.setblocking(False)  # noqa: FBT003  # its only parameter
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, self._listener.getsockname())
        return connection

    async def close(self) -> None:
        """End every connection, at both ends."""
        for connection in list(self.state.connections):
            connection.transport.abort()
        for peer in self._peers:
            peer.writer.transport.abort()
            with suppress(ConnectionError):
                await peer.writer.wait_closed()
        await self.wait_until_empty()

    async def wait_until_empty(self) -> None:
        """Return when every connection is gone."""
        while self.state.connections:  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.001)

    async def pass_time(
        self, seconds: float = SHORT_S, *, connections: int = 1, in_head: bool = False
    ) -> None:
        """Let time pass at once, as soon as there are so many connections, in a head or not."""

        def are_ready() -> bool:
            there = self.state.connections
            return len(there) == connections and all(c._is_in_head >= in_head for c in there)

        while not are_ready():  # noqa: ASYNC110  # turns of the loop
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        now = loop.time
        loop.time = lambda: now() + seconds  # type: ignore[method-assign]

    async def hear_more(self) -> None:
        """Return when the one connection has heard of something again, and again."""
        [connection] = self.state.connections
        enough = connection.pieces + 3
        while connection.pieces < enough:  # noqa: ASYNC110  # turns of the loop
            await asyncio.sleep(0)

    async def wait_until_refused(self) -> None:
        """Return when no connection takes any more."""

        def is_refused(connection: LimitedConnection) -> bool:
            return connection._is_refused or connection.transport.is_closing()

        while not all(map(is_refused, self.state.connections)):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0)

    async def outlast(self) -> None:
        """Let a few short times pass, and return when every connection is gone."""
        for _ in range(3):
            if self.state.connections:
                await self.pass_time()
                await asyncio.sleep(0.001)
        await self.wait_until_empty()


@asynccontextmanager
async def run_server(keep_alive_s: float = LONG_S, **limits: Any) -> AsyncIterator[Server]:
    """Serve with limits of which only those given can be met."""
    application = Application()
    defaults = {
        "max_header_bytes": LIMIT,
        "max_header_fields": 50,
        "max_connections": 100,
        "header_timeout_s": LONG_S,
        "answer_timeout_s": LONG_S,
    }
    config = uvicorn.Config(application, lifespan="off", timeout_keep_alive=keep_alive_s)
    config.load()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # As small as may be, so that little is on its way where nobody reads.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        server = Server(application, listener)
        protocol = partial(
            Heard,
            config=config,
            server_state=server.state,
            app_state={"observe_response": lambda *answer: server.counted.append(answer)},
            limits=ConnectionLimits(**defaults | limits),
        )
        listening = await asyncio.get_running_loop().create_server(protocol, sock=listener)
        try:
            yield server
        finally:
            listening.close()
            await server.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server whose times never run out."""
    async with run_server() as server:
        yield server


def head(size: int) -> bytes:
    """Return a request whose address and headers count so many bytes."""
    return b"GET / HTTP/1.1\r\nname: " + b"v" * (size - len("/name") - 4) + b"\r\n\r\n"


async def test_head_as_large_as_allowed_is_answered(server: Server) -> None:
    """The limit is exact, and each request of a connection has it anew."""
    peer = await server.open()
    for _ in range(3):
        await peer.send(head(LIMIT))
        assert (await peer.read())[0] == 200
    await peer.send(head(LIMIT + 1))
    assert await peer.read_error() == (431, "headers_too_large")
    assert len(server.application.paths) == 3


ENDLESS = {
    "a value": b"GET / HTTP/1.1\r\nname: ",
    "a name": b"GET / HTTP/1.1\r\n",
    "an address": b"GET /",
    "a query": b"GET /?",
    "the length of a chunk": CHUNKED + b"000",
    "an extension of a chunk": CHUNKED + b"1;",
    "a trailer": CHUNKED + b"1\r\nx\r\n0\r\nname: ",
}


@pytest.mark.parametrize("start", ENDLESS.values(), ids=ENDLESS.keys())
async def test_what_never_ends_is_refused(server: Server, start: bytes) -> None:
    """It need not be complete to be too much."""
    peer = await server.open()
    await peer.send(start, b"0" * (LIMIT + 2 * 8192 + 1))
    assert await peer.read_error() == (431, "headers_too_large")


async def test_empty_lines_are_no_request(server: Server) -> None:
    """Parsers skip them, so they could come for ever."""
    peer = await server.open()
    await peer.send(b"\r\n" * (LIMIT + 8192))
    assert await peer.read_error() == (431, "headers_too_large")


@pytest.mark.parametrize(
    ("start", "answers"),
    [(b"GET / HTTP/1.1\r\n", True), (CHUNKED + b"1\r\nx\r\n0\r\n", False)],
    ids=["head", "trailers"],
)
async def test_fields_are_counted(server: Server, start: bytes, *, answers: bool) -> None:
    """Small ones cost memory too; those of the head count for the trailers."""
    peer = await server.open()
    await peer.send(start + b"a: b\r\n" * 50 + b"\r\n")
    if answers:
        assert (await peer.read())[0] == 200
        await peer.send(start + b"a: b\r\n" * 51 + b"\r\n")
    assert await peer.read_error() == (431, "headers_too_large")


async def test_body_is_no_head(server: Server) -> None:
    """What the application reads is for it to limit, in one piece and in chunks."""
    peer = await server.open()
    length = str(len(MEGABYTE)).encode()
    await peer.send(b"POST / HTTP/1.1\r\ncontent-length: " + length + b"\r\n\r\n", MEGABYTE)
    assert (await peer.read())[0] == 200
    await peer.send(CHUNKED, b"a\r\n0123456789\r\n" * 10_000, b"0\r\n\r\n")
    assert (await peer.read())[0] == 200


async def test_refusal_reaches_who_sends_on(server: Server) -> None:
    """The connection is not reset under the answer."""
    peer = await server.open()
    await peer.send(b"GET / HTTP/1.1\r\nname: ", *[MEGABYTE] * 20)
    assert await peer.read_error() == (431, "headers_too_large")


async def test_who_sends_on_for_ever_is_cut_off() -> None:
    """After a while nobody takes it off the wire."""
    async with run_server(header_timeout_s=SHORT_S) as server:
        peer = await server.open()
        await peer.send(b"no HTTP\r\n")
        assert (await peer.read())[0] == 400
        sending = asyncio.create_task(peer.drip(b"x"))
        await server.outlast()
        sending.cancel()


async def test_silent_connection_is_closed() -> None:
    """Who says nothing is told nothing."""
    async with run_server(header_timeout_s=SHORT_S) as server:
        peer = await server.open()
        await server.pass_time()
        assert await peer.rest() == b""
        await server.wait_until_empty()


@pytest.mark.parametrize("start", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\na: b\r\nc"])
async def test_half_a_head_is_given_up(start: bytes) -> None:
    """And whoever is slow, and not gone, hears why."""
    async with run_server(header_timeout_s=SHORT_S) as server:
        peer = await server.open()
        await peer.send(start)
        await server.pass_time(in_head=True)
        assert await peer.read_error() == (408, "caller_timeout")
    assert server.application.paths == []


async def drip_in_vain(server: Server, peer: Peer, piece: bytes) -> None:
    """Send a little again and again, at all times, until the connection is gone."""
    dripping = asyncio.create_task(peer.drip(piece))
    for _ in range(2):
        await server.hear_more()
        await server.pass_time(SHORT_S / 2)
    async with asyncio.timeout(60):
        await server.wait_until_refused()
    await server.outlast()  # who is refused may be sending still
    await dripping


async def test_head_that_drips_is_given_up() -> None:
    """A byte now and then buys no time."""
    async with run_server(header_timeout_s=SHORT_S, max_header_bytes=10**9) as server:
        peer = await server.open()
        await peer.send(b"GET / HTTP/1.1\r\nname: ")
        await drip_in_vain(server, peer, b"v")
    assert server.application.paths == []


async def test_empty_lines_after_an_answer_buy_no_time() -> None:
    """They stop uvicorn's own countdown, and begin no request."""
    async with run_server(header_timeout_s=SHORT_S, max_header_bytes=10**9) as server:
        peer = await server.open()
        await peer.send(GET)
        assert (await peer.read())[0] == 200
        await drip_in_vain(server, peer, b"\r\n")


async def test_body_that_nobody_reads_buys_no_time() -> None:
    """The answer is there, and the rest of the request is not."""
    async with run_server(header_timeout_s=SHORT_S) as server:
        server.application.reads = False
        peer = await server.open()
        await peer.send(b"POST / HTTP/1.1\r\ncontent-length: 1000000000\r\n\r\n")
        assert (await peer.read())[0] == 200
        await drip_in_vain(server, peer, b"x")


async def test_connection_without_a_request_is_closed() -> None:
    """It may be used again for a while, and only for a while."""
    async with run_server(keep_alive_s=SHORT_S) as server:
        peer = await server.open()
        await peer.send(GET)
        assert (await peer.read())[0] == 200
        await server.pass_time()
        assert await peer.rest() == b""


async def test_request_in_work_may_take_longer_than_a_head() -> None:
    """The countdown is over when the head is there."""
    async with run_server(header_timeout_s=SHORT_S) as server:
        server.application.gate.clear()
        peer = await server.open()
        await peer.send(GET)
        await server.application.began.wait()
        # Its time would be over first.
        later = await server.open()
        await server.pass_time(connections=2)
        assert await later.rest() == b""
        server.application.gate.set()
        assert (await peer.read())[0] == 200


@pytest.mark.parametrize("size", [30_000, 10_000_000], ids=["little", "much"])
@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
async def test_answer_that_is_not_taken_is_given_up(size: int, connection: bytes) -> None:
    """Who does not read holds no memory, however much is left of the answer."""
    async with run_server(keep_alive_s=SHORT_S, answer_timeout_s=SHORT_S) as server:
        server.application.answer = b"x" * size
        peer = await server.open(SO_RCVBUF=1)
        peer.writer.transport.pause_reading()
        await peer.send(b"GET / HTTP/1.1\r\nconnection: " + connection + b"\r\n\r\n")
        await server.application.ended.wait()
        await server.outlast()


async def test_rest_of_an_answer_that_is_not_taken_is_given_up(server: Server) -> None:
    """Nor does a client that has begun to read have all the time in the world."""
    loop = asyncio.get_running_loop()
    server.application.answer = MEGABYTE
    with await server.connect(SO_RCVBUF=8192) as peer:
        await loop.sock_sendall(peer, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        await server.application.ended.wait()
        [connection] = server.state.connections
        while connection.flow.write_paused:
            await loop.sock_recv(peer, 4096)
        assert connection.transport.get_write_buffer_size()
        assert connection._until_taken._handle is not None
        connection._until_taken._run()
        await server.wait_until_empty()


async def test_answer_that_is_taken_ends_the_countdown(server: Server) -> None:
    """The connection may be used again, for as long as it likes."""
    server.application.answer = MEGABYTE
    peer = await server.open(SO_RCVBUF=8192)
    await peer.send(GET, GET)
    for _ in range(2):
        assert (await peer.read())[2] == MEGABYTE
    [connection] = server.state.connections
    assert connection._until_taken._handle is None


async def test_end_of_the_server_waits_for_no_reader() -> None:
    """A connection that is told to end, does."""
    async with run_server(answer_timeout_s=SHORT_S) as server:
        server.application.answer = b"x" * 30_000
        peer = await server.open(SO_RCVBUF=1)
        peer.writer.transport.pause_reading()
        await peer.send(GET)
        await server.application.ended.wait()
        for connection in list(server.state.connections):
            connection.shutdown()
        await server.outlast()


async def test_connections_are_counted() -> None:
    """One too many is told to come again; room that is given back can be taken."""
    async with run_server(max_connections=1) as server:
        first, second = await server.open(), await server.open()
        await second.send(GET)
        status, headers, _ = await second.read()
        assert (status, headers["retry-after"]) == (429, "1")
        second.writer.close()
        await first.send(GET)
        assert (await first.read())[0] == 200
        first.writer.close()
        await server.wait_until_empty()
        third = await server.open()
        await third.send(GET)
        assert (await third.read())[0] == 200


async def test_requests_ahead_are_answered_in_order(server: Server) -> None:
    """As many as may wait."""
    peer = await server.open()
    paths = [f"/{number}" for number in range(17)]
    await peer.send("".join(f"GET {path} HTTP/1.1\r\n\r\n" for path in paths).encode())
    for _ in paths:
        assert (await peer.read())[0] == 200
    assert server.application.paths == paths


@pytest.mark.parametrize("second", [GET * 17, b"no HTTP\r\n", head(LIMIT + 1)])
async def test_refusal_is_not_taken_for_another_answer(server: Server, second: bytes) -> None:
    """What is wrong with a later request ends the connection, and says nothing."""
    server.application.gate.clear()
    peer = await server.open()
    await peer.send(GET + second)
    assert await peer.rest() == b""
    server.application.gate.set()


async def test_application_hears_that_a_body_breaks_off(server: Server) -> None:
    """Its request is refused by then, and nobody waits for its answer."""
    peer = await server.open()
    await peer.send(CHUNKED)
    await server.application.began.wait()
    await peer.send(b"no length\r\n")
    assert await peer.read_error() == (400, "invalid_request")
    await server.application.left.wait()


async def test_what_is_no_http_is_refused_in_the_one_form(server: Server) -> None:
    """By the server itself, before there is a request."""
    peer = await server.open()
    await peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert await peer.read_error() == (400, "invalid_request")


async def test_refusals_that_no_application_sees_are_counted() -> None:
    """Each once, by its status; one about a request in work is the application's to count."""
    async with run_server(max_connections=2) as server:
        for refused in (b"no HTTP\r\n", head(LIMIT + 1)):
            peer = await server.open()
            await peer.send(refused)
            await peer.rest()
            peer.writer.close()
            await server.wait_until_empty()
        broken = await server.open()
        await broken.send(CHUNKED + b"no length\r\n")
        await broken.rest()
        assert server.counted == [("unknown", 400), ("unknown", 431)]
    async with run_server(max_connections=1) as server:
        await (await server.open()).send(GET)
        await (second := await server.open()).send(GET)
        assert await second.read_error() == (429, "overloaded")
        assert server.counted == [("unknown", 429)]
