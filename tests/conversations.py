"""One request whose body and answer are on their way at the same time."""

import asyncio
from typing import Any, Self

from starlette.types import Message

from fakes import settle

END: Message = {"type": "http.disconnect"}


class Conversation:
    """A caller who sends pieces of a body when a test says so, and what is answered."""

    def __init__(self, app: Any, scope: dict[str, Any] | None = None) -> None:
        """Speak with an application."""
        self._app = app
        self._scope = scope or {"type": "http"}
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._may_send = asyncio.Event()
        self._may_send.set()
        self.sent: list[Message] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing running."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def say(self, piece: bytes = b"", *, more: bool = True) -> None:
        """Send a piece of the body, the last one if there are no more."""
        self._messages.put_nowait({"type": "http.request", "body": piece, "more_body": more})
        await settle()

    async def hang_up(self) -> None:
        """Close the connection."""
        self._messages.put_nowait(END)
        await settle()

    def take_nothing(self) -> None:
        """Stop reading answers."""
        self._may_send.clear()

    async def take_on(self) -> None:
        """Read answers again."""
        self._may_send.set()
        await settle()

    @property
    def unread(self) -> int:
        """How many pieces nobody has read."""
        return self._messages.qsize()

    @property
    def status(self) -> int | None:
        """The status of the answer, once it has begun."""
        return self.sent[0]["status"] if self.sent else None

    @property
    def lines(self) -> list[bytes]:
        """The lines that were answered."""
        return b"".join(message.get("body", b"") for message in self.sent).splitlines()

    @property
    def is_answered(self) -> bool:
        """Whether the end of the answer was sent."""
        return bool(self.sent) and not self.sent[-1].get("more_body", True)

    async def _receive(self) -> Message:
        return await self._messages.get()

    async def _send(self, message: Message) -> None:
        await self._may_send.wait()
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._messages.put_nowait(END)  # a server calls the end of an answer so
