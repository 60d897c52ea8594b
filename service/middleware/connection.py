"""What a client may do with a connection before there is a request, and after it: not much.

uvicorn hands a request on once its head is complete, so nothing of the service sees a head that is
huge or never ends. It bounds neither; this protocol does. It counts what comes in bytes and in
fields, and whenever a connection waits for its client, a countdown runs:

    a head is awaited, or what nobody reads any more    `header_timeout_s`
    an answer is to be taken                            `answer_timeout_s`
    the next request is awaited                         uvicorn's own, `timeout_keep_alive`

While a request is in work its body and its deadline are the application's to watch.

What it answers by itself no middleware sees, so it counts that: the lifespan of the application
gives what counts as `observe_response`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.errors.exceptions import (
    HeadersTooLargeError,
    HeadTimeoutError,
    MalformedRequestError,
    ServiceError,
    TooManyConnectionsError,
)
from service.errors.table import TABLE, error_response
from service.middleware.addresses.route import UNKNOWN_ROUTE

_PIECE_BYTES = 8192
"""How much the parser gets at once: what it keeps of an unfinished field is known so closely."""

_LINE_BYTES = 4
"""What a field has beside its name and its value: colon, space, and the end of its line."""

_MAX_PIPELINED = 16
"""How many requests may wait behind the one in work; no client in wide use sends any ahead."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one client may take.

    Attributes:
        max_header_bytes: of one head and its trailers: the address, names and values.
        max_header_fields: in one head and its trailers.
        max_connections: that one process keeps open.
        header_timeout_s: until a head is complete.
        answer_timeout_s: until an answer is taken.
    """

    max_header_bytes: int
    max_header_fields: int
    max_connections: int
    header_timeout_s: float
    answer_timeout_s: float


class LimitedConnection(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, limits: ConnectionLimits, **named: Any) -> None:
        """Take uvicorn's arguments, and limits."""
        super().__init__(*arguments, **named)
        self._limits = limits
        self._bytes = 0
        self._fields = 0
        self._untold_bytes = 0
        self._is_in_head = False
        self._is_one_too_many = False
        self._refusal: ServiceError | None = None
        self._is_refused = False
        self._until_head = _Countdown(self.loop, limits.header_timeout_s, self._give_up_head)
        self._until_taken = _Countdown(self.loop, limits.answer_timeout_s, self._abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first head; uvicorn's signature."""
        super().connection_made(transport)
        self._is_one_too_many = len(self.connections) > self._limits.max_connections
        self._until_head.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._until_head.stop()
        self._until_taken.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, for as long as it is within the limits."""
        if self._is_one_too_many and not self._is_refused:
            self._refuse(TooManyConnectionsError())
        if not self._is_at_work():
            self._until_head.start()
        for start in range(0, len(data), _PIECE_BYTES):
            if self._is_refused or self.transport.is_closing():
                return  # taken off the wire all the same: else the refusal would be lost
            piece = data[start : start + _PIECE_BYTES]
            self._untold_bytes += len(piece)
            super().data_received(piece)
            if not self._is_refused:
                self._check_untold()

    def on_message_begin(self) -> None:
        """Count anew."""
        self._bytes = self._fields = self._untold_bytes = 0
        self._is_in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count a piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field, of the head or of the trailers."""
        self._fields += 1
        self._count(len(name) + len(value) + _LINE_BYTES)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Leave the request to the application."""
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise MalformedRequestError
        self._is_in_head = False
        self._until_head.stop()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Leave a piece of a body to the application."""
        self._untold_bytes = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be parsed, or was too much; uvicorn's name for it."""
        del msg
        self._refuse(self._refusal or MalformedRequestError())

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._until_taken.start()

    def resume_writing(self) -> None:
        """Go on; a connection that closes has the rest to be taken still."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._until_taken.stop()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the end."""
        super().on_response_complete()
        self._end_in_time()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that nobody uses."""
        super().timeout_keep_alive_handler()
        self._end_in_time()

    def shutdown(self) -> None:
        """End with the server, once the request in work is answered."""
        super().shutdown()
        self._end_in_time()

    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _count(self, size: int) -> None:
        """Count what the parser tells of a head."""
        self._untold_bytes = 0
        self._bytes += size
        limits = self._limits
        if self._bytes > limits.max_header_bytes or self._fields > limits.max_header_fields:
            self._refusal = self._too_large()
            raise self._refusal

    def _check_untold(self) -> None:
        """Refuse a field that is too large already, before the parser tells of it.

        Nor does it tell of empty lines before a request, and of what stands beside the length of
        a chunk.
        """
        if self._bytes + self._untold_bytes > self._limits.max_header_bytes + _PIECE_BYTES:
            self._refuse(self._too_large())

    def _too_large(self) -> ServiceError:
        return HeadersTooLargeError(self._limits.max_header_bytes, self._limits.max_header_fields)

    def _give_up_head(self) -> None:
        if self._is_refused or self.transport.is_closing():
            self._abort()
        elif self._is_in_head:
            self._refuse(HeadTimeoutError(self._limits.header_timeout_s))
        else:
            self.transport.close()
            self._end_in_time()

    def _refuse(self, error: ServiceError) -> None:
        """Answer, end, and take what still comes off the wire for a while.

        A connection that is closed with something unread is reset, and the answer with it.
        """
        self._is_refused = True
        if self._is_at_work():
            if not self._is_about_the_request_at_work():
                # What is sent now would be taken for the answer to that one.
                self.transport.close()
                self._end_in_time()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            # The application answers, too, to nobody: that is counted.
        else:
            self.app_state["observe_response"](UNKNOWN_ROUTE, TABLE[type(error)][0])
        self.transport.write(self._write_answer(error))
        self.transport.write_eof()
        self._until_head.stop()
        self._until_head.start()

    def _is_about_the_request_at_work(self) -> bool:
        return self.cycle.more_body and not self.cycle.response_started and not self.pipeline

    def _write_answer(self, error: ServiceError) -> bytes:
        response = error_response(error)
        headers = [
            *self.server_state.default_headers,
            *response.raw_headers,
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", response.body])

    def _end_in_time(self) -> None:
        """See that a connection that closes is gone some time: its client may not read."""
        if self.transport.is_closing():
            self._until_taken.start()

    def _abort(self) -> None:
        self.transport.abort()


class _Countdown:
    """Calls something after a time, unless it is stopped; starting it twice changes nothing."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, then: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._then = then
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._run)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        self._handle = None
        self._then()
