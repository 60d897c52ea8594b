"""What answers one call with a model host, whichever way the call came."""

import asyncio
from hashlib import blake2b
from weakref import WeakKeyDictionary

import structlog
from structlog.contextvars import bind_contextvars

from service.errors.exceptions import ModelReplacedError
from service.models.served_model import ServedModel
from service.processes.engine_process.frames import (
    Answer,
    Check,
    Count,
    Counted,
    Describe,
    Described,
    Done,
    Exposed,
    Load,
    Observed,
    Open,
    Opened,
    Predict,
    Predicted,
    Question,
    Unload,
    encode_frame,
)
from service.processes.engine_process.text_frames import Mask
from service.processes.engine_process.wire_errors import KNOWN, dump_error
from service.processes.model_host import ModelHost
from service.telemetry.metrics import Metrics

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class Responder:
    """Answers calls with a model host."""

    def __init__(self, host: ModelHost) -> None:
        """Answer with a model host."""
        self._host = host
        self._opened: WeakKeyDictionary[ServedModel, Opened] = WeakKeyDictionary()

    async def answer(self, number: int, request: Question) -> bytes:
        """Return the frame that answers a call of a number, an error of it among them.

        It binds the ids of the call to the context that it runs in: every call has its own.
        """
        bind_contextvars(**request.ids)
        try:
            return encode_frame(number, await self._answer(request))
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller must hear of it
            is_logged = any(error is failure for failure in self._host.models.failures().values())
            if type(error).__name__ not in KNOWN and not is_logged:
                _LOG.exception("call_failed")
            return encode_frame(number, dump_error(error))

    def count(self, observed: Observed) -> None:
        """Count what a worker saw."""
        count(observed, self._host.metrics)

    async def open(self, model: ServedModel) -> Opened:
        """Return the codec of a model; its revision tells one from any other."""
        opened = self._opened.get(model)
        if opened is None:
            codec = await asyncio.to_thread(model.codec.to_bytes)
            opened = Opened(codec, blake2b(codec, digest_size=16).digest())
            self._opened[model] = opened
        return opened

    async def _answer(self, request: Question) -> Answer:
        match request:
            case Predict():
                return await self._predict(request)
            case Check() | Load() | Unload():
                await self._do(request)
                return Done()
            case Open(preset):
                async with self._host.models.lease(preset) as model:
                    return await self.open(model)
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
            if (await self.open(model)).revision != request.revision:
                raise ModelReplacedError
            texts = [text.to_encoding() for text in request.texts]
            results = await model.predict(texts, request.within_s)
        masks = [[Mask.of(mask) for mask in text] for text in results]
        return Predicted(masks, results.queue_seconds, results.inference_seconds)


def count(observed: Observed, metrics: Metrics) -> None:
    """Count what a worker saw."""
    for request in observed.requests:
        metrics.count_request(*request)
    for seconds in observed.tokenizations:
        metrics.observe_tokenization(seconds)
    for _ in range(observed.invalid_requests):
        metrics.observe_invalid_request()
    for route, status in observed.responses:
        metrics.observe_response(route, status)
