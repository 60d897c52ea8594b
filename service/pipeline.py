"""The whole request: text -> encode -> queue -> batch -> engine -> decode."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from model_store.encoding import Encoding, TextLimits
from model_store.errors import InputError
from model_store.fill_mask import FillMaskModel
from model_store.filled_text import FilledText
from model_store.store import ModelStore
from service.errors import DeadlineExceededError, RequestLimitError, TargetsMismatchError
from service.model_cache import ModelCache
from service.served_model import ServedModel

_INLINE_CHARACTERS = 4096
"""Texts this short are tokenized on the event loop: a thread would take longer."""


@dataclass(frozen=True, slots=True)
class FillRequest:
    """What a caller wants: `targets` has one list for each input, or is None."""

    preset: str
    inputs: Sequence[str]
    top_k: int
    targets: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may ask for."""

    max_inputs: int
    max_top_k: int
    max_targets: int
    max_predictions: int
    timeout_s: float
    text: TextLimits


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was answered, or refused with `error`, after so many seconds.

    `preset` is None where the caller's is not known.
    """

    preset: str | None
    seconds: float
    error: BaseException | None


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
        store: ModelStore,
        models: ModelCache[ServedModel],
        limits: RequestLimits,
        observer: PipelineObserver,
    ) -> None:
        """Put the parts in line."""
        self._store = store
        self._models = models
        self._limits = limits
        self._observer = observer

    async def fill(self, request: FillRequest) -> list[FilledText]:
        """Return the candidates for every mask of every input, in order.

        Raises:
            ServiceError: the request asks for too much, or waits too long.
            ModelStoreError: the preset or a text cannot be used.
        """
        started = perf_counter()
        preset = error = None
        try:
            async with self._deadline():
                preset = await self._find(request.preset)
                return await self._answer(request)
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds = perf_counter() - started
            self._observer.observe_request(RequestRecord(preset, seconds, error))

    async def check(self, preset: str) -> None:
        """Fill one mask, so that whoever asks knows that a preset answers.

        Raises:
            ServiceError: it does not, in time.
            ModelStoreError: it does not at all.
        """
        async with self._deadline(), self._models.lease(preset) as served:
            encodings = self._encode_all(
                served.model, FillRequest(preset, [served.model.mask_token], top_k=1)
            )
            await served.predict(encodings)

    async def _answer(self, request: FillRequest) -> list[FilledText]:
        self._check(request)
        async with self._models.lease(request.preset) as served:
            encodings = await self._encode(served.model, request)
            scores = await served.predict(encodings)
            decode = served.model.decode
        return [decode(*pair) for pair in zip(encodings, scores, strict=True)]

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        timeout_s = self._limits.timeout_s
        try:
            async with asyncio.timeout(timeout_s) as scope:
                yield
        except TimeoutError:
            if scope.expired():
                raise DeadlineExceededError(timeout_s) from None
            raise

    async def _find(self, preset: str) -> str:
        """Return a name that is known; others never get in line for a load."""
        if preset not in self._models:
            await asyncio.to_thread(self._store.find, preset)
        return preset

    async def _encode(self, model: FillMaskModel, request: FillRequest) -> list[Encoding]:
        started = perf_counter()
        if sum(map(len, request.inputs)) <= _INLINE_CHARACTERS:
            encodings = self._encode_all(model, request)
        else:
            encodings = await asyncio.to_thread(self._encode_all, model, request)
        self._observer.observe_tokenization(perf_counter() - started)
        return encodings

    def _encode_all(self, model: FillMaskModel, request: FillRequest) -> list[Encoding]:
        encodings: list[Encoding] = []
        for index, text in enumerate(request.inputs):
            wanted = request.targets[index] if request.targets else None
            try:
                encodings.append(
                    model.encode(
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
