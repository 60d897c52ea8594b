"""An ASGI middleware that gives every request an id, for its answer and for the log."""

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars, unbind_contextvars

_HEADER = b"x-request-id"
_is_acceptable = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch
_read_trace = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
"""The W3C's `traceparent`."""


class RequestIdMiddleware:
    """Takes the caller's `x-request-id` over where it can be logged as it is, else makes one.

    The trace that a request belongs to is in every event, too; whoever traces it here names another
    one, where the caller has none.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; every event of it bears the id, and its answer too."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_id(_find(scope, _HEADER))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (_HEADER, request_id)]
            await send(message)

        bound = bind_contextvars(request_id=request_id.decode())
        if trace_id := read_trace_id(_find(scope, b"traceparent")):
            bind_contextvars(trace_id=trace_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            reset_contextvars(**bound)
            unbind_contextvars("trace_id")


def choose_id(given: bytes) -> bytes:
    """Return the id of a request: the caller's, where it can be logged as it is, or a new one."""
    return given if _is_acceptable(given) else uuid4().hex.encode()


def read_trace_id(traceparent: bytes) -> str | None:
    """Return the trace that a request belongs to, where its caller says it in the W3C's form."""
    trace = _read_trace(traceparent)
    return trace[1].decode() if trace else None


def _find(scope: Scope, header: bytes) -> bytes:
    """Return the first header of a name, or nothing."""
    return next((bytes(value) for name, value in scope["headers"] if name == header), b"")
