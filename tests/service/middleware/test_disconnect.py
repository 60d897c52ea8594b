"""Callers who hang up: their work ends, and nobody else's."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from fakes import settle
from service.middleware.disconnect import DisconnectMiddleware

BODY: Message = {"type": "http.request", "body": b"{}", "more_body": False}
END: Message = {"type": "http.disconnect"}
HTTP: Scope = {"type": "http"}


class Connection:
    """A connection that sends what a test says."""

    def __init__(self) -> None:
        """Have sent nothing yet."""
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.answered: list[Message] = []

    async def send(self, message: Message) -> None:
        """Keep an answer; a server calls its end a disconnect."""
        self.answered.append(message)
        if not message.get("more_body", False):
            self.messages.put_nowait(END)


class App:
    """An application that answers when a test says so."""

    def __init__(self) -> None:
        """Answer nobody yet."""
        self.may_answer = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Read a body and answer it."""
        while (await receive()).get("more_body"):
            pass
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        await settle()


@pytest.fixture
def connection() -> Connection:
    """Return a connection."""
    return Connection()


@pytest.fixture
def app() -> App:
    """Return an application."""
    return App()


def start(app: Any, connection: Connection) -> asyncio.Task[None]:
    """Run a request."""
    wrapped = DisconnectMiddleware(app)
    return asyncio.ensure_future(wrapped(HTTP, connection.messages.get, connection.send))


async def test_request_whose_caller_left_is_cancelled(app: App, connection: Connection) -> None:
    """And its server sees no error."""
    request = start(app, connection)
    for message in (BODY, END):
        connection.messages.put_nowait(message)
    await request
    assert app.was_cancelled
    assert connection.answered == []


async def test_request_whose_caller_stays_is_answered(app: App, connection: Connection) -> None:
    """The end of an answer is no hanging up."""
    request = start(app, connection)
    connection.messages.put_nowait({**BODY, "more_body": True})
    connection.messages.put_nowait(BODY)
    app.may_answer.set()
    await request
    assert not app.was_cancelled
    assert len(connection.answered) == 1


async def test_server_that_cancels_a_request_sees_it_cancelled(
    app: App, connection: Connection
) -> None:
    """A task that ends with its loop is not taken for one whose caller left."""
    request = start(app, connection)
    connection.messages.put_nowait(BODY)
    await settle()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_server_that_cancels_at_the_same_time_sees_it_too(
    app: App, connection: Connection
) -> None:
    """Both are heard."""
    request = start(app, connection)
    connection.messages.put_nowait(BODY)
    await settle()
    connection.messages.put_nowait(END)
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_nothing_is_left_behind(app: App, connection: Connection) -> None:
    """Every watch ends with its request."""
    before = asyncio.all_tasks()
    request = start(app, connection)
    connection.messages.put_nowait(BODY)
    app.may_answer.set()
    await request
    await settle()
    assert asyncio.all_tasks() == before


async def test_application_hears_of_the_end_itself(connection: Connection) -> None:
    """Whoever listens for it while answering is told."""
    heard: list[Message] = []

    async def listen(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.body", "more_body": False})
        heard.append(await receive())

    request = start(listen, connection)
    connection.messages.put_nowait(BODY)
    await request
    assert heard == [END]


async def test_end_before_the_body_is_the_applications(connection: Connection) -> None:
    """Frameworks have an answer of their own to half a body."""
    heard: list[Message] = []

    async def listen(_: Scope, receive: Receive, __: Send) -> None:
        heard.append(await receive())

    request = start(listen, connection)
    connection.messages.put_nowait(END)
    await request
    assert heard == [END]


async def test_what_is_no_request_passes() -> None:
    """The lifespan has no caller."""
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    nothing: Any = Connection().send
    await DisconnectMiddleware(app)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]
