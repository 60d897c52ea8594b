"""The limit on bodies, whatever their headers say."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from fakes import FakeStore
from service.errors.exceptions import PayloadTooLargeError
from service.middleware.body.limit import BodyLimitMiddleware

BODY = b'{"inputs": "the [MASK]"}'


async def in_chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    """Send a body without telling its length."""
    for chunk in chunks:
        yield chunk


async def post(client: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    """Send a body."""
    headers = {"content-type": "application/json"} | headers
    return await client.post("/fill-mask", content=content, headers=headers)


async def test_body_at_the_limit_is_read(store: FakeStore, serve: Any) -> None:
    """The limit itself is allowed."""
    async with serve(store, max_body_bytes=len(BODY)) as client:
        assert (await post(client, BODY)).status_code == 200


async def test_body_declared_too_large_is_refused(store: FakeStore, serve: Any) -> None:
    """A body that says it is too large is believed."""
    async with serve(store, max_body_bytes=len(BODY) - 1) as client:
        response = await post(client, BODY)
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


async def test_refusal_names_the_limit(store: FakeStore, serve: Any) -> None:
    """Whoever is refused learns how much is allowed."""
    async with serve(store, max_body_bytes=7) as client:
        assert " 7 bytes" in (await post(client, BODY)).json()["error"]


async def test_streamed_body_at_the_limit_is_read(store: FakeStore, serve: Any) -> None:
    """A body may come in pieces."""
    async with serve(store, max_body_bytes=len(BODY)) as client:
        assert (await post(client, in_chunks(BODY[:9], BODY[9:]))).status_code == 200


@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])
async def test_streamed_body_that_grows_too_large_is_refused(
    store: FakeStore, serve: Any, path: str
) -> None:
    """A body that does not tell its length is cut off at the limit."""
    async with serve(store, max_body_bytes=len(BODY) - 1) as client:
        response = await client.post(
            path,
            content=in_chunks(BODY[:9], BODY[9:]),
            headers={"content-type": "application/json"},
        )
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


async def test_body_larger_than_declared_is_refused(store: FakeStore, serve: Any) -> None:
    """What arrives counts, not what was promised."""
    async with serve(store, max_body_bytes=len(BODY) - 1) as client:
        response = await post(client, in_chunks(BODY), **{"content-length": "3"})
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("length", ["many", "-1", "1.5", ""])
async def test_length_that_is_no_number_declares_nothing(
    store: FakeStore, serve: Any, length: str
) -> None:
    """A body is measured where its header means nothing."""
    async with serve(store) as client:
        assert (await post(client, in_chunks(BODY), **{"content-length": length})).is_success


async def test_length_of_more_digits_than_python_reads_is_no_failure(
    store: FakeStore, serve: Any
) -> None:
    """No header makes the server fail."""
    async with serve(store) as client:
        response = await post(client, in_chunks(BODY), **{"content-length": "9" * 5000})
    assert response.status_code < 500


def make_receive(chunks: Iterable[bytes]) -> Receive:
    """Return what an application receives a body with."""
    left: Iterator[bytes] = iter(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": next(left), "more_body": True}

    return receive


class Sent:
    """What an application sends."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        """Keep a message."""
        self.messages.append(message)


HTTP: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def read_everything(_: Scope, receive: Receive, __: Send) -> None:
    """Be an application that reads a body without end."""
    while True:
        await receive()


async def test_application_reads_no_more_than_the_limit() -> None:
    """What is too large is refused with the first byte above the limit, not at the end."""
    sent = Sent()
    app = BodyLimitMiddleware(read_everything, max_body_bytes=5, timeout_s=60)
    await app(HTTP, make_receive([b"123", b"456"]), sent)
    assert sent.messages[0]["status"] == 413


async def test_body_declared_too_large_is_not_read() -> None:
    """A header that says enough spares the rest."""
    sent = Sent()
    scope = HTTP | {"headers": [(b"content-length", b"6")]}
    app = BodyLimitMiddleware(read_everything, max_body_bytes=5, timeout_s=60)
    await app(scope, make_receive([]), sent)
    assert sent.messages[0]["status"] == 413


async def test_answer_that_has_begun_is_not_begun_again() -> None:
    """A body that grows too large under its own answer can only break it off."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await read_everything(scope, receive, send)

    sent = Sent()
    with pytest.raises(PayloadTooLargeError):
        await BodyLimitMiddleware(app, max_body_bytes=5, timeout_s=60)(
            HTTP, make_receive([b"123456"]), sent
        )
    assert len(sent.messages) == 1


async def test_body_that_does_not_come_is_not_waited_for() -> None:
    """A caller who sends a byte now and then holds nothing for long."""

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    sent = Sent()
    app = BodyLimitMiddleware(read_everything, max_body_bytes=5, timeout_s=1e-9)
    await app(HTTP, never, sent)
    assert sent.messages[0]["status"] == 408


async def test_end_of_a_connection_is_never_late() -> None:
    """The time is that of the body, not of the answer."""
    messages = [
        {"type": "http.request", "body": b"1", "more_body": False},
        {"type": "http.disconnect"},
    ]
    seen = []

    async def receive() -> Message:
        return messages.pop(0)

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    await BodyLimitMiddleware(app, max_body_bytes=5, timeout_s=60)(HTTP, receive, Sent())
    assert seen == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", ""])
async def test_other_encodings_are_refused(store: FakeStore, serve: Any, encoding: str) -> None:
    """Nobody here unpacks them."""
    async with serve(store) as client:
        response = await post(client, BODY, **{"content-encoding": encoding})
    assert (response.status_code, response.json()["code"]) == (415, "invalid_request")


async def test_body_that_is_encoded_as_itself_is_read(store: FakeStore, serve: Any) -> None:
    """Nothing was done to it."""
    async with serve(store) as client:
        assert (await post(client, BODY, **{"content-encoding": "Identity"})).is_success


async def test_what_is_no_request_passes() -> None:
    """The lifespan of the server has no body."""
    seen = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    await BodyLimitMiddleware(app, max_body_bytes=5, timeout_s=60)(
        {"type": "lifespan"}, make_receive([]), Sent()
    )
    assert seen == ["lifespan"]
