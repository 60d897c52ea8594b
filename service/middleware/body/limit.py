"""An ASGI middleware that reads no more of a body than is allowed, whatever its headers say."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors.exceptions import (
    CorruptBodyError,
    EncodedBodyError,
    PayloadTooLargeError,
    ServiceError,
    SlowBodyError,
)
from service.errors.table import error_response
from service.middleware.body.unpacking import UnpackedBody

_MOST_DIGITS = 20
"""A length of more is nonsense, and Python refuses to read very long numbers."""

_ENCODINGS = frozenset({b"identity", b"gzip"})


class BodyLimitMiddleware:
    """Refuses bodies above a limit: by their declared length, and by what arrives until when.

    Bodies that are packed by gzip are unpacked on the way, and what comes out counts. Any other
    encoding is refused unread.
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
        refusal = self._judge(headers)
        if refusal:
            await error_response(refusal)(scope, receive, send)
            return
        body = _LimitedBody(
            receive, self._limit, self._timeout_s, is_packed=_encoding(headers) == b"gzip"
        )
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

    def _judge(self, headers: Mapping[bytes, bytes]) -> ServiceError | None:
        """Say why a body is refused before it is read, if it is."""
        if _encoding(headers) not in _ENCODINGS:
            return EncodedBodyError()
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and len(length) < _MOST_DIGITS and int(length) > self._limit:
            return PayloadTooLargeError(self._limit)
        return None


def _encoding(headers: Mapping[bytes, bytes]) -> bytes:
    return headers.get(b"content-encoding", b"identity").strip().lower()


class _LimitedBody:
    """A body as it arrives, until it is too large, too late or broken."""

    def __init__(
        self, receive: Receive, limit: int, timeout_s: float, *, is_packed: bool = False
    ) -> None:
        self.refusal: ServiceError | None = None
        self._receive = receive
        self._read = (
            UnpackedBody(self._receive_in_time).receive if is_packed else self._receive_in_time
        )
        self._limit = limit
        self._left = limit
        self._timeout_s = timeout_s
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._is_complete = False

    async def receive(self) -> Message:
        if self._is_complete:
            # What comes after a body is the end of the connection, and nobody is late for that.
            return await self._receive()
        try:
            message = await self._read()
        except (CorruptBodyError, SlowBodyError) as error:
            self.refusal = error
            raise
        self._is_complete = not message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.refusal = PayloadTooLargeError(self._limit)
            raise self.refusal
        return message

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise SlowBodyError(self._timeout_s) from None
