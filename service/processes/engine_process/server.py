"""The side of the engine process: calls come in, a model host answers them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import blake2b
from socket import socket
from weakref import WeakKeyDictionary

import structlog
from structlog.contextvars import bind_contextvars

from service.errors.exceptions import ModelReplacedError
from service.models.served_model import ServedModel
from service.processes.engine_process.frames import (
    Answer,
    Cancel,
    Check,
    Count,
    Counted,
    Describe,
    Described,
    Done,
    Exposed,
    FrameError,
    FrameReader,
    Load,
    Observed,
    Open,
    Opened,
    Predict,
    Predicted,
    Question,
    Request,
    Unload,
    encode_frame,
)
from service.processes.engine_process.text_frames import Mask
from service.processes.engine_process.wire_errors import KNOWN, dump_error
from service.processes.model_host import ModelHost

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class EngineServer:
    """Answers the calls of HTTP workers, each in a task of its own."""

    def __init__(self, host: ModelHost) -> None:
        """Answer with a model host."""
        self._host = host
        self._opened: WeakKeyDictionary[ServedModel, Opened] = WeakKeyDictionary()

    @asynccontextmanager
    async def listen(self, listener: socket) -> AsyncIterator[None]:
        """Take connections for the length of a block; those that are left then are closed."""
        connections: set[asyncio.Task[None]] = set()

        def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = asyncio.create_task(self._serve(reader, writer), name="connection")
            connections.add(connection)
            connection.add_done_callback(connections.discard)

        server = await asyncio.start_unix_server(start, sock=listener)
        try:
            yield
        finally:
            server.close()
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one worker until it leaves; what it still waited for is dropped then."""
        calls: dict[int, asyncio.Task[None]] = {}
        requests: FrameReader[Request] = FrameReader(reader, Request)
        try:
            while frame := await requests.read():
                number, request = frame
                if isinstance(request, Observed):
                    self._count(request)
                elif isinstance(request, Cancel):
                    if number in calls:
                        calls[number].cancel()
                else:
                    call = asyncio.create_task(self._call(number, request, writer), name="call")
                    calls[number] = call
                    call.add_done_callback(partial(_forget, calls, number))
        except FrameError:
            _LOG.exception("frame_refused")
        finally:
            under_way = list(calls.values())
            for call in under_way:
                call.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            writer.close()

    async def _call(self, number: int, request: Question, writer: asyncio.StreamWriter) -> None:
        # Every call has a task, and so a context, of its own.
        bind_contextvars(**request.ids)
        try:
            frame = encode_frame(number, await self._answer(request))
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller must hear of it
            is_logged = any(error is failure for failure in self._host.models.failures().values())
            if type(error).__name__ not in KNOWN and not is_logged:
                _LOG.exception("call_failed")
            frame = encode_frame(number, dump_error(error))
        # Not drained: there are no more answers than calls, and those are limited.
        writer.write(frame)

    async def _answer(self, request: Question) -> Answer:
        match request:
            case Predict():
                return await self._predict(request)
            case Check() | Load() | Unload():
                await self._do(request)
                return Done()
            case Open(preset):
                async with self._host.models.lease(preset) as model:
                    return await self._open(model)
            case Describe():
                presets = await self._host.preset_states.describe_all()
                return Described([preset.model_dump() for preset in presets])
            case Count(preset):
                return Counted(await self._host.metrics.tally(preset))
            case _:
                return Exposed(await self._host.metrics.expose())

    async def _do(self, request: Check | Load | Unload) -> None:
        models = self._host.models
        match request:
            case Check(preset):
                async with models.lease(preset) as model:
                    await model.check()
            case Load(preset, reload, pin):
                await models.load(preset, reload=reload, pin=pin)
            case _:
                await models.unload(request.preset)

    async def _predict(self, request: Predict) -> Predicted:
        async with self._host.models.lease(request.preset) as model:
            if (await self._open(model)).revision != request.revision:
                raise ModelReplacedError
            texts = [text.to_encoding() for text in request.texts]
            results = await model.predict(texts, request.within_s)
        masks = [[Mask.of(mask) for mask in text] for text in results]
        return Predicted(masks, results.queue_seconds, results.inference_seconds)

    async def _open(self, model: ServedModel) -> Opened:
        """Return the codec of a model; its revision tells one from any other."""
        opened = self._opened.get(model)
        if opened is None:
            codec = await asyncio.to_thread(model.codec.to_bytes)
            opened = Opened(codec, blake2b(codec, digest_size=16).digest())
            self._opened[model] = opened
        return opened

    def _count(self, observed: Observed) -> None:
        metrics = self._host.metrics
        for request in observed.requests:
            metrics.count_request(*request)
        for seconds in observed.tokenizations:
            metrics.observe_tokenization(seconds)
        for _ in range(observed.invalid_requests):
            metrics.observe_invalid_request()
        for route, status in observed.responses:
            metrics.observe_response(route, status)


def _forget(calls: dict[int, asyncio.Task[None]], number: int, _: asyncio.Task[None]) -> None:
    del calls[number]
