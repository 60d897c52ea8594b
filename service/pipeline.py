"""The whole request: text -> encode -> queue -> batch -> engine -> decode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from model_store.tasks import Done, Round, Task, TaskLimits, TaskRequest, advance
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec
from service.errors.exceptions import (
    CallerTimeoutError,
    DeadlineExceededError,
    ModelReplacedError,
    QueueFullError,
    ShuttingDownError,
)
from service.models.preset_choice import PresetChoice
from service.scheduling.batch_records import BatchedResults
from service.scheduling.deadline import Wait, deadline

_INLINE_CHARACTERS = 4096
"""Texts this short are tokenized on the event loop: a thread would take longer."""

_PAUSE_S = 0.5
"""How long who is patient waits before the queue is tried again."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may ask for, and how long it may take."""

    task: TaskLimits
    timeout_s: float
    ready_timeout_s: float


@dataclass(slots=True)
class Timings:
    """How long the stages of a request took, over all its rounds; seconds.

    `rows` is how many rows the engine ran for it.
    """

    tokenization: float = 0.0
    queue: float = 0.0
    inference: float = 0.0
    rows: int = 0

    def add(self, results: BatchedResults[list[MaskScores]]) -> None:
        """Add what one round took."""
        self.queue += results.queue_seconds
        self.inference += results.inference_seconds
        self.rows += len(results)


@dataclass(frozen=True, slots=True)
class Answered(Generic[Answer]):
    """The answer to a request, and how long that took."""

    answer: Answer
    timings: Timings


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request for a task that was answered, or refused with `error`, after so many seconds.

    `preset` is None where the caller's is not known, `timings` where there was no answer.
    """

    preset: str | None
    task: str
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
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Put the parts in line; `pause` lets seconds pass."""
        self._pause = pause
        self._choice = choice
        self._models = models
        self._limits = limits
        self._observer = observer
        self._is_closing = False

    def close(self) -> None:
        """Refuse whatever comes from now on; what came before is answered."""
        self._is_closing = True

    async def run(
        self, preset: str, request: TaskRequest[Answer], timeout_s: float | None = None
    ) -> Answered[Answer]:
        """Return the answer of a model to a request.

        Args:
            preset: the model's.
            request: what is asked of it.
            timeout_s: how long the caller waits, if that is less than the server would let it.

        Raises:
            ServiceError: the request waits too long, or there is too much to do.
            ModelStoreError: the preset or a text cannot be used, or too much is asked for.
        """
        return await self._run(preset, request, timeout_s, is_patient=False)

    async def run_patiently(
        self, preset: str, request: TaskRequest[Answer], timeout_s: float | None = None
    ) -> Answered[Answer]:
        """Return the answer of a model, however long it takes until the queue has room for it.

        As `run` does; but the time counts anew for each attempt, and one that found no room is
        neither raised nor told of.
        """
        while True:
            try:
                return await self._run(preset, request, timeout_s, is_patient=True)
            except QueueFullError:
                await self._pause(_PAUSE_S)

    async def _run(
        self,
        preset: str,
        request: TaskRequest[Answer],
        timeout_s: float | None,
        *,
        is_patient: bool,
    ) -> Answered[Answer]:
        started = perf_counter()
        known = timings = None
        error: BaseException | None = None
        patience_s = min(timeout_s or self._limits.timeout_s, self._limits.timeout_s)
        try:
            async with self._admission(patience_s) as wait:
                known = await self._find(preset)
                answered = await self._answer(known, request, started + patience_s, wait)
                timings = answered.timings
                return answered
        except DeadlineExceededError as raised:
            # Who has less patience than the server has does not make it slow.
            is_hasty = patience_s < self._limits.timeout_s
            error = CallerTimeoutError(patience_s, raised.loading) if is_hasty else raised
            raise error from None
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds = perf_counter() - started
            if not (is_patient and isinstance(error, QueueFullError)):
                record = RequestRecord(known, request.name, seconds, error, timings)
                self._observer.observe_request(record)

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

    async def _answer(
        self, preset: str, request: TaskRequest[Answer], until: float, wait: Wait
    ) -> Answered[Answer]:
        request.check(self._limits.task)
        try:
            return await self._answer_once(preset, request, until, wait)
        except ModelReplacedError:
            # As the model reads it that is there now.
            return await self._answer_once(preset, request, until, wait)

    async def _answer_once(
        self, preset: str, request: TaskRequest[Answer], until: float, wait: Wait
    ) -> Answered[Answer]:
        async with self._lease(preset, wait) as model:
            timings = Timings()
            task = request.start(model.codec, self._limits.task)
            step = await self._tokenize(task, request.characters, timings)
            # A round, a trip through the queue.
            while not isinstance(step, Done):
                results = await model.predict(step, within_s=until - perf_counter())
                timings.add(results)
                step = advance(task, results)
        return Answered(step.answer, timings)

    async def _tokenize(
        self, task: Task[Answer], characters: int, timings: Timings
    ) -> Round | Done[Answer]:
        started = perf_counter()
        if characters <= _INLINE_CHARACTERS:
            step = advance(task)
        else:
            step = await asyncio.to_thread(advance, task)
        timings.tokenization = perf_counter() - started
        self._observer.observe_tokenization(timings.tokenization)
        return step

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
