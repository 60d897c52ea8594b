"""An ASGI middleware that logs requests: those that fail inside, and where asked for, every one."""

from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.middleware.addresses.caller import caller_of
from service.middleware.addresses.route import route_of

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class RequestLogMiddleware:
    """Logs `request` and `request_failed`: nothing in them is a caller's text.

    It goes around the application with all that answers errors: what reaches it is answered.
    """

    def __init__(self, app: ASGIApp, *, every_request: bool) -> None:
        """Wrap an application."""
        self._app = app
        self._every_request = every_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._every_request:
            await self._log(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _log(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        status = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, receive, send_and_note)
        finally:
            seconds = round(perf_counter() - started, 6)
            _LOG.info("request", **_describe(scope), status=status, seconds=seconds)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:  # noqa: BLE001  # whatever it is, it is answered already
            # Not raised again: the server would log it a second time, with its message.
            _LOG.exception("request_failed", **_describe(scope))


def _describe(scope: Scope) -> dict[str, Any]:
    return {"method": scope["method"], "route": route_of(scope), "client": caller_of(scope)}
