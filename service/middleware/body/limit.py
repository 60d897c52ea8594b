"""An ASGI middleware that reads no more of a body than is allowed, whatever its headers say."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors.exceptions import (
    EncodedBodyError,
    PayloadTooLargeError,
    ServiceError,
    SlowBodyError,
)
from service.errors.table import error_response
from service.middleware.body.lines import is_of_lines
from service.middleware.body.unpacking import UnpackedBody

_MOST_DIGITS = 20
"""A length of more is nonsense, and Python refuses to read very long numbers."""

_ENCODINGS = frozenset({b"identity", b"gzip"})


class BodyLimitMiddleware:
    """Refuses bodies above a limit: by their declared length, and by what arrives until when.

    Bodies that are packed by gzip are unpacked on the way, and what comes out counts. Any other
    encoding is refused unread. A body of lines may go on for ever, if it goes on: whoever reads its
    lines holds each against the limit.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, timeout_s: float) -> None:
        """Wrap an application.

        Args:
            app: what answers.
            max_body_bytes: the size of the largest body.
            timeout_s: how long a body may take to arrive.
        """
        self._app = app
        self._limit = max_body_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = None if is_of_lines(scope) else self._limit
        refusal = _judge(headers, limit)
        if refusal:
            await error_response(refusal)(scope, receive, send)
            return
        is_packed = _encoding(headers) == b"gzip"
        body = _LimitedBody(receive, limit, self._timeout_s, is_packed=is_packed)
        if limit is None:
            # Whoever reads lines tells in their place what is wrong with the rest.
            await self._app(scope, body.receive, send)
            return
        started = False

        async def send_within_limit(message: Message) -> None:
            # Frameworks turn any error in reading a body into an answer of their own.
            nonlocal started
            if started or body.refusal is None:
                started = True
                await send(message)

        try:
            await self._app(scope, body.receive, send_within_limit)
        except ServiceError as error:
            if started or error is not body.refusal:
                raise
        if body.refusal and not started:
            await error_response(body.refusal)(scope, receive, send)


def _judge(headers: Mapping[bytes, bytes], limit: int | None) -> ServiceError | None:
    """Say why a body is refused before it is read, if it is."""
    if _encoding(headers) not in _ENCODINGS:
        return EncodedBodyError()
    length = headers.get(b"content-length", b"0")
    if (
        limit is not None
        and length.isdigit()
        and len(length) < _MOST_DIGITS
        and int(length) > limit
    ):
        return PayloadTooLargeError(limit)
    return None


def _encoding(headers: Mapping[bytes, bytes]) -> bytes:
    return headers.get(b"content-encoding", b"identity").strip().lower()


class _LimitedBody:
    """A body as it arrives, until it is too large, too late or broken."""

    def __init__(
        self, receive: Receive, limit: int | None, timeout_s: float, *, is_packed: bool
    ) -> None:
        self.refusal: ServiceError | None = None
        self._receive = receive
        self._read = self._receive_in_time
        if is_packed:
            self._read = UnpackedBody(self._receive_in_time).receive
        self._limit = limit
        self._bytes = 0
        self._timeout_s = timeout_s
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._is_complete = False

    async def receive(self) -> Message:
        if self._is_complete:
            # What comes after a body is the end of the connection, and nobody is late for that.
            return await self._receive()
        try:
            message = await self._read()
            self._bytes += len(message.get("body", b""))
            if self._limit is not None and self._bytes > self._limit:
                raise PayloadTooLargeError(self._limit)
        except ServiceError as error:
            self.refusal = error
            raise
        self._is_complete = not message.get("more_body", False)
        return message

    async def _receive_in_time(self) -> Message:
        if self._limit is None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise SlowBodyError(self._timeout_s) from None
