"""An ASGI middleware that gives every request an id, for its answer and for the log."""

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

_HEADER = b"x-request-id"
_is_acceptable = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch


class RequestIdMiddleware:
    """Takes the caller's `x-request-id` over where it can be logged as it is, else makes one."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; every event of it bears the id, and its answer too."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _find(scope) or uuid4().hex.encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (_HEADER, request_id)]
            await send(message)

        bound = bind_contextvars(request_id=request_id.decode())
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            reset_contextvars(**bound)


def _find(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            return value if _is_acceptable(value) else None
    return None
