"""The whole request: text -> encode -> queue -> batch -> engine -> decode."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from model_store.errors import InputError
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import FilledText, MaskScores
from model_store.text.text_codec import TextCodec
from service.errors.exceptions import (
    CallerTimeoutError,
    DeadlineExceededError,
    ModelReplacedError,
    RequestLimitError,
    ShuttingDownError,
    TargetsMismatchError,
)
from service.models.preset_choice import PresetChoice
from service.scheduling.batch_records import BatchedResults
from service.scheduling.deadline import Wait, deadline

_INLINE_CHARACTERS = 4096
"""Texts this short are tokenized on the event loop: a thread would take longer."""


@dataclass(frozen=True, slots=True)
class FillRequest:
    """What a caller wants.

    `targets` has one list for each input, or is None; `timeout_s` is how long the caller waits, if
    that is less than the server would let it.
    """

    preset: str
    inputs: Sequence[str]
    top_k: int
    targets: Sequence[Sequence[str]] | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may ask for."""

    max_inputs: int
    max_top_k: int
    max_targets: int
    max_predictions: int
    timeout_s: float
    ready_timeout_s: float
    text: TextLimits


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the stages of a request took; seconds."""

    tokenization: float
    queue: float
    inference: float


@dataclass(frozen=True, slots=True)
class Filled:
    """The texts of a request, filled, and how long that took."""

    texts: list[FilledText]
    timings: Timings


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was answered, or refused with `error`, after so many seconds.

    `preset` is None where the caller's is not known, `timings` where there was no answer.
    """

    preset: str | None
    seconds: float
    error: BaseException | None
    timings: Timings | None = None


class LeasedModel(Protocol):
    """A model that stays for as long as it is used."""

    @property
    def codec(self) -> TextCodec:
        """What encodes and decodes for it."""
        ...

    async def predict(
        self, encodings: Sequence[Encoding], within_s: float
    ) -> BatchedResults[list[MaskScores]]:
        """Score the texts of one request; for each, in order, one result a mask.

        Raises:
            QueueFullError: it would not be done within that time.
        """
        ...

    async def check(self) -> None:
        """Score a text, whatever waits, so that whoever asks knows that the engine runs."""
        ...


class Models(Protocol):
    """Models by name, in this process or in another one."""

    def __contains__(self, name: str) -> bool:
        """Say whether a name is known to be a preset's, without a look at the store."""
        ...

    def lease(self, name: str) -> AbstractAsyncContextManager[LeasedModel]:
        """Lend a model, loading it first where it is not here."""
        ...


class PipelineObserver(Protocol):
    """Who hears of requests."""

    def observe_request(self, record: RequestRecord) -> None:
        """Hear of a request that ended."""
        ...

    def observe_tokenization(self, seconds: float) -> None:
        """Hear how long the texts of a request took to tokenize."""
        ...


class Pipeline:
    """Answers requests."""

    def __init__(
        self,
        choice: PresetChoice,
        models: Models,
        limits: RequestLimits,
        observer: PipelineObserver,
    ) -> None:
        """Put the parts in line."""
        self._choice = choice
        self._models = models
        self._limits = limits
        self._observer = observer
        self._is_closing = False

    def close(self) -> None:
        """Refuse whatever comes from now on; what came before is answered."""
        self._is_closing = True

    async def fill(self, request: FillRequest) -> Filled:
        """Return the candidates for every mask of every input, in order.

        Raises:
            ServiceError: the request asks for too much, or waits too long.
            ModelStoreError: the preset or a text cannot be used.
        """
        started = perf_counter()
        preset = timings = None
        error: BaseException | None = None
        timeout_s = min(request.timeout_s or self._limits.timeout_s, self._limits.timeout_s)
        try:
            async with self._admission(timeout_s) as wait:
                preset = await self._find(request.preset)
                filled = await self._answer(request, started + timeout_s, wait)
                timings = filled.timings
                return filled
        except DeadlineExceededError as raised:
            # Who has less patience than the server has does not make it slow.
            is_hasty = timeout_s < self._limits.timeout_s
            error = CallerTimeoutError(timeout_s, raised.loading) if is_hasty else raised
            raise error from None
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds = perf_counter() - started
            self._observer.observe_request(RequestRecord(preset, seconds, error, timings))

    async def check(self, preset: str) -> None:
        """Fill one mask, so that whoever asks knows that a preset answers.

        Raises:
            ServiceError: it does not, in time, or the server is about to end.
            ModelStoreError: it does not at all.
        """
        async with (
            self._admission(self._limits.ready_timeout_s) as wait,
            self._lease(preset, wait) as model,
        ):
            await model.check()

    async def _answer(self, request: FillRequest, until: float, wait: Wait) -> Filled:
        self._check(request)
        try:
            return await self._answer_once(request, until, wait)
        except ModelReplacedError:
            # As the model reads it that is there now.
            return await self._answer_once(request, until, wait)

    async def _answer_once(self, request: FillRequest, until: float, wait: Wait) -> Filled:
        async with self._lease(request.preset, wait) as model:
            codec = model.codec
            started = perf_counter()
            encodings = await self._encode(codec, request)
            encoded = perf_counter()
            self._observer.observe_tokenization(encoded - started)
            scores = await model.predict(encodings, within_s=until - encoded)
        texts = [codec.decode(*pair) for pair in zip(encodings, scores, strict=True)]
        timings = Timings(encoded - started, scores.queue_seconds, scores.inference_seconds)
        return Filled(texts, timings)

    @asynccontextmanager
    async def _admission(self, timeout_s: float) -> AsyncIterator[Wait]:
        if self._is_closing:
            raise ShuttingDownError
        async with deadline(timeout_s) as wait:
            yield wait

    @asynccontextmanager
    async def _lease(self, preset: str, wait: Wait) -> AsyncIterator[LeasedModel]:
        wait.loading = preset
        async with self._models.lease(preset) as model:
            wait.loading = None
            yield model

    async def _find(self, preset: str) -> str:
        """Return a name that is known; others never get in line for a load."""
        if preset not in self._models:
            await self._choice.require(preset)
        return preset

    async def _encode(self, codec: TextCodec, request: FillRequest) -> list[Encoding]:
        if sum(map(len, request.inputs)) <= _INLINE_CHARACTERS:
            return self._encode_all(codec, request)
        return await asyncio.to_thread(self._encode_all, codec, request)

    def _encode_all(self, codec: TextCodec, request: FillRequest) -> list[Encoding]:
        encodings: list[Encoding] = []
        for index, text in enumerate(request.inputs):
            wanted = request.targets[index] if request.targets else None
            try:
                encodings.append(
                    codec.encode(
                        text, top_k=request.top_k, targets=wanted, limits=self._limits.text
                    )
                )
            except InputError as error:
                error.input = index
                raise
        predictions = sum(e.predictions * len(e.mask_positions) for e in encodings)
        _require("predictions", predictions, self._limits.max_predictions)
        return encodings

    def _check(self, request: FillRequest) -> None:
        _require("inputs", len(request.inputs), self._limits.max_inputs)
        if request.targets is None:
            _require("predictions a mask", request.top_k, self._limits.max_top_k)
            return
        if len(request.targets) != len(request.inputs):
            raise TargetsMismatchError(len(request.targets), len(request.inputs))
        targets = max(map(len, request.targets), default=0)
        _require("targets a text", targets, self._limits.max_targets)


def _require(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise RequestLimitError(what, count, limit)
