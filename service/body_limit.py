"""An ASGI middleware that reads no more of a body than is allowed, whatever its headers say."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import PayloadTooLargeError
from service.exception_handlers import error_response

_MOST_DIGITS = 20
"""A length of more is nonsense, and Python refuses to read very long numbers."""


class BodyLimitMiddleware:
    """Refuses bodies above a limit: by their declared length, and by what arrives."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        """Wrap an application."""
        self._app = app
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = PayloadTooLargeError(self._limit)
        if _declared_length(scope) > self._limit:
            await error_response(too_large)(scope, receive, send)
            return
        received = 0
        started = False

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise too_large
            return message

        async def send_within_limit(message: Message) -> None:
            # Frameworks turn any error in reading a body into an answer of their own.
            nonlocal started
            if started or received <= self._limit:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_limited, send_within_limit)
        except PayloadTooLargeError:
            if started:
                raise
        if received > self._limit and not started:
            await error_response(too_large)(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < _MOST_DIGITS else 0
    return 0
