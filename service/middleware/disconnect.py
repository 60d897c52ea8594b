"""An ASGI middleware that ends the work for a caller who has hung up."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class DisconnectMiddleware:
    """Cancels a request when its connection closes, so that its texts leave the queue."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; once its body is read, nothing but its end can come."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        watched = _WatchedRequest(task, receive, send)
        try:
            await self._app(scope, watched.receive, watched.send)
        except asyncio.CancelledError:
            # Somebody else may have cancelled it as well.
            if not watched.is_gone or task.uncancel():
                raise
        finally:
            watched.end()


class _WatchedRequest:
    """One request, cancelled if its caller leaves between its body and its answer."""

    def __init__(self, task: "asyncio.Task[Any]", receive: Receive, send: Send) -> None:
        self._task = task
        self.is_gone = False
        self._is_answered = False
        self._receive = receive
        self._send = send
        self._watch: asyncio.Task[Message] | None = None

    async def receive(self) -> Message:
        if self._watch is not None:
            return await asyncio.shield(self._watch)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._watch = asyncio.create_task(self._wait_for_end(), name="disconnect")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            # A server calls its own end of an answer a disconnect, too.
            self._is_answered = True
        await self._send(message)

    def end(self) -> None:
        self._is_answered = True
        if self._watch is not None:
            self._watch.cancel()

    async def _wait_for_end(self) -> Message:
        message = await self._receive()
        if not self._is_answered:
            self.is_gone = True
            self._task.cancel()
        return message
