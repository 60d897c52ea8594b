"""What every call passes, whatever it asks: what the middleware is to requests over HTTP.

Each method takes a stream of messages, though most have one: that is the same on the wire, and lets
a call be refused before its message is here, and not wait for it for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import grpc
import structlog
from fastapi.exceptions import RequestValidationError
from google.protobuf.message import DecodeError, Message
from pydantic import TypeAdapter, ValidationError
from structlog.contextvars import bind_contextvars

from service.errors.exceptions import QueueFullError, ShuttingDownError, SlowBodyError
from service.errors.table import INTERNAL, TABLE, error_headers
from service.middleware.access import Access, read_bearer
from service.middleware.exception_handlers import describe_error, log_failure
from service.middleware.request_id import choose_id, read_trace_id
from service.routes.calls.dependencies import MetricsBoard
from service.routes.calls.timing import LEAST_TIMEOUT_S, TIMEOUT_HEADER, Seconds
from service.routes.grpc.statuses import STATUSES, write_metadata
from service.routes.kserve.binary_body import refuse
from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_OK = 200
_SECONDS: TypeAdapter[float] = TypeAdapter(Seconds)


@dataclass(slots=True)
class Call:
    """A call that is let in.

    Attributes:
        timeout_s: how long its caller waits, if it says so.
        headers: what is told behind the answer.
    """

    timeout_s: float | None
    headers: dict[str, str] = field(default_factory=dict)


Endpoint = Callable[[Any, Call], Awaitable[Message]]
"""Answers a message."""

Responses = Callable[[AsyncIterator[Any], Any], AsyncIterator[Message]]
"""Answers messages while they come."""


class Calls:
    """Lets calls in, has them answered, and tells how they ended."""

    def __init__(self, access: Access, metrics: MetricsBoard, settings: Settings) -> None:
        """Let in who has a key, while there is room."""
        self._access = access
        self._metrics = metrics
        self._settings = settings
        self._running = 0
        self._streams: set[asyncio.Timeout] = set()
        self._ends_at: float | None = None

    def answer(
        self, path: str, message: type[Message], endpoint: Endpoint, *, is_task: bool = False
    ) -> Any:
        """Return the handler of a method with one message and one answer.

        Args:
            path: the method's.
            message: what it takes.
            endpoint: what answers.
            is_task: whether an invalid message is counted among the requests for tasks.
        """

        async def answer(_: object, context: Any) -> Any:
            metadata = _read_metadata(context)
            call = Call(None)
            try:
                with self._observed(path, metadata, call), self._admitted(path, metadata):
                    call.timeout_s = _read_timeout(context, metadata)
                    request = await self._read(context, message)
                    answered = await endpoint(request, call)
                    context.set_trailing_metadata(tuple(call.headers.items()))
                    return answered.SerializeToString()
            except Exception as error:  # noqa: BLE001  # whatever it is, it is answered
                if is_task and isinstance(error, RequestValidationError):
                    self._metrics.observe_invalid_request()
                return await _abort(context, error, call)

        return grpc.stream_unary_rpc_method_handler(answer)

    def stream(self, path: str, message: type[Message], respond: Responses) -> Any:
        """Return the handler of a method that answers until either side ends it."""

        async def answer(requests: AsyncIterator[Any], context: Any) -> None:
            metadata = _read_metadata(context)
            call = Call(None)
            try:
                with self._observed(path, metadata, call), self._admitted(path, metadata):
                    await self._pump(respond(requests, context), context)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is answered
                await _abort(context, error, call)

        return grpc.stream_stream_rpc_method_handler(
            answer, request_deserializer=_parser(message), response_serializer=_serialize
        )

    def end_streams(self) -> None:
        """End what would not end by itself."""
        self._ends_at = 0
        for scope in self._streams:
            scope.reschedule(0)

    async def _pump(self, responses: AsyncIterator[Message], context: Any) -> None:
        try:
            async with asyncio.timeout_at(self._ends_at) as scope:
                self._streams.add(scope)
                async for response in responses:
                    await context.write(response)
        except TimeoutError:
            raise ShuttingDownError from None
        finally:
            self._streams.discard(scope)

    @contextmanager
    def _observed(self, path: str, metadata: dict[str, str], call: Call) -> Iterator[None]:
        """Name a call in the log, and count how it ended; one that was given up has no status."""
        request_id = choose_id(metadata.get("x-request-id", "").encode()).decode()
        call.headers["x-request-id"] = request_id
        bind_contextvars(request_id=request_id)
        if trace_id := read_trace_id(metadata.get("traceparent", "").encode()):
            bind_contextvars(trace_id=trace_id)
        started = perf_counter()
        status: int | None = None
        try:
            yield
            status = _OK
        except Exception as error:
            log_failure(error)
            status = TABLE.get(type(error), INTERNAL)[0]
            raise
        finally:
            if status is not None:
                self._metrics.observe_response(path, status)
            if self._settings.access_log:
                seconds = round(perf_counter() - started, 6)
                _LOG.info("request", method="gRPC", route=path, status=status, seconds=seconds)

    @contextmanager
    def _admitted(self, path: str, metadata: dict[str, str]) -> Iterator[None]:
        key = read_bearer(metadata.get("authorization", ""))
        if refusal := self._access.judge("POST", path, key):
            raise refusal
        if self._running >= self._settings.max_connections:
            raise QueueFullError
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    async def _read(self, context: Any, message: type[Message]) -> Message:
        timeout_s = self._settings.request_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                content = await context.read()
        except TimeoutError:
            raise SlowBodyError(timeout_s) from None
        if content is grpc.aio.EOF:
            raise refuse(("body", "message"), "it is missing, or not whole")
        return _parser(message)(content)


def _parser(message: type[Message]) -> Callable[[bytes], Message]:
    def parse(content: bytes) -> Message:
        try:
            return message.FromString(content)
        except DecodeError as error:
            reason = f"it is no {message.DESCRIPTOR.full_name}"
            raise refuse(("body", "message"), reason) from error

    return parse


def _serialize(message: Message) -> bytes:
    return bytes(message.SerializeToString())


def _read_metadata(context: Any) -> dict[str, str]:
    """Return the first value of each name; those that are bytes are nobody's here."""
    found: dict[str, str] = {}
    for name, value in context.invocation_metadata():
        if isinstance(value, str):
            found.setdefault(name, value)
    return found


def _read_timeout(context: Any, metadata: dict[str, str]) -> float | None:
    """Return the seconds that the caller waits: the fewer, where deadline and header say some."""
    said = []
    if (remaining := context.time_remaining()) is not None:
        said.append(max(remaining, LEAST_TIMEOUT_S))
    if TIMEOUT_HEADER in metadata:
        try:
            said.append(_SECONDS.validate_python(metadata[TIMEOUT_HEADER]))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise refuse(("header", TIMEOUT_HEADER), reason) from error
    return min(said, default=None)


async def _abort(context: Any, error: Exception, call: Call) -> Any:
    """Tell an error: its sentence, and behind it its code. It raises what ends the call."""
    status = STATUSES[TABLE.get(type(error), INTERNAL)[0]]
    fields = describe_error(error)
    headers = call.headers | error_headers(error)
    return await context.abort(status, fields["error"], write_metadata(fields, headers))
