"""What an HTTP worker has in place of a model host: the same parts, answered by another process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec
from service.errors.exceptions import EngineLostError, ModelReplacedError
from service.errors.table import outcome
from service.models.model_cache import ModelCache
from service.models.preset_info import PresetInfo
from service.pipeline import RequestRecord
from service.processes.engine_process.client import EngineClient, Expected
from service.processes.engine_process.frames import (
    Check,
    Count,
    Counted,
    Describe,
    Described,
    Done,
    Expose,
    Exposed,
    Load,
    Observed,
    Open,
    Opened,
    Predict,
    Predicted,
    Question,
    Unload,
)
from service.processes.engine_process.text_frames import Text
from service.processes.owned_task import owned_task
from service.scheduling.batch_records import BatchedResults
from service.scheduling.deadline import deadline
from service.settings import Settings
from service.telemetry.metrics import UNKNOWN_PRESET, Metrics
from service.telemetry.tally import Tally

_GATHERED_S = 0.05
"""For how long observations are gathered: to send each by itself would cost more than it."""


class Client(Protocol):
    """What calls the engine process, or whatever runs the models in its place."""

    async def call(self, request: Question, kind: type[Expected]) -> Expected:
        """Return the answer to a request, of the kind that belongs to it.

        Raises:
            EngineLostError: what was to answer ended before it did.
            Exception: what it answered, as `wire_errors` reads it.
        """
        ...

    async def tell(self, message: Observed) -> None:
        """Send what has no answer.

        Raises:
            EngineLostError: there is nobody to send it to.
        """
        ...


class RemoteModel:
    """A model whose codec is here and whose engine is elsewhere."""

    nbytes = 0
    """Next to nothing; the weights are elsewhere too."""

    def __init__(self, preset: str, opened: Opened, codec: TextCodec, client: Client) -> None:
        """Put together what was opened."""
        self.codec = codec
        self._preset = preset
        self._revision = opened.revision
        self._client = client

    async def predict(
        self, encodings: Sequence[Encoding], within_s: float
    ) -> BatchedResults[list[MaskScores]]:
        """Score the texts of one request over there.

        Raises:
            QueueFullError: it would not be done within that time.
            ModelReplacedError: another model is there now, with another codec.
        """
        texts = [Text.of(encoding) for encoding in encodings]
        request = Predict(self._preset, self._revision, texts, within_s)
        predicted = await self._client.call(request, Predicted)
        results = BatchedResults([mask.to_scores() for mask in text] for text in predicted.texts)
        results.queue_seconds = predicted.queue_seconds
        results.inference_seconds = predicted.inference_seconds
        return results

    async def check(self) -> None:
        """Score a text over there, whatever waits."""
        await self._client.call(Check(self._preset), Done)

    async def close(self) -> None:
        """There is nothing to give back."""


class RemoteModels:
    """The models of the engine process; their codecs are kept here like models."""

    def __init__(self, client: Client, max_models: int) -> None:
        """Keep the codecs of so many presets."""
        self._client = client
        # The wait for a load is outside the line in which codecs are opened, one at a time.
        self._models: ModelCache[RemoteModel] = ModelCache(
            self._open, max_models=max_models, max_bytes=1, prepare=self._load
        )

    def __contains__(self, name: str) -> bool:
        """Say whether a model is open or being opened."""
        return name in self._models

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[RemoteModel]:
        """Lend a model, having it loaded first where it is not.

        Raises:
            EngineLostError: the engine process ended meanwhile.
            Exception: whatever the load raised.
        """
        try:
            async with self._models.lease(name) as model:
                yield model
        except ModelReplacedError:
            await self._models.discard(name, model)
            raise

    async def load(self, name: str, *, reload: bool = False, pin: bool | None = None) -> None:
        """Have a model loaded over there; after a reload, its codec is opened anew.

        Raises:
            EngineLostError: the engine process ended meanwhile.
            Exception: whatever the load raised.
        """
        await self._client.call(Load(name, reload, pin), Done)
        if reload and name in self._models:
            await self._models.load(name, reload=True)

    async def unload(self, name: str) -> None:
        """Give a model up over there, and its codec here.

        Raises:
            EngineLostError: the engine process ended meanwhile.
        """
        await asyncio.gather(self._client.call(Unload(name), Done), self._models.unload(name))

    async def close(self) -> None:
        """Lend nothing more."""
        await self._models.close()

    async def _load(self, name: str) -> None:
        await self._client.call(Load(name), Done)

    async def _open(self, name: str) -> RemoteModel:
        opened = await self._client.call(Open(name), Opened)
        codec = await asyncio.to_thread(TextCodec.from_bytes, opened.codec)
        return RemoteModel(name, opened, codec, self._client)


class RemotePresetStates:
    """How every preset stands, in the engine process."""

    def __init__(self, client: Client, timeout_s: float) -> None:
        """Ask, and wait so long for the answer."""
        self._client = client
        self._timeout_s = timeout_s

    async def describe_all(self) -> list[PresetInfo]:
        """Return every preset in the store's order."""
        async with deadline(self._timeout_s):
            described = await self._client.call(Describe(), Described)
        return [PresetInfo.model_validate(preset) for preset in described.presets]


class RemoteMetrics:
    """Metrics that are kept in the engine process, for all workers together.

    A worker that ends takes no count with it, and whichever is asked shows all of them.
    """

    content_type = Metrics.content_type

    def __init__(self, client: Client, timeout_s: float) -> None:
        """Tell what is seen, and wait so long for what is to be shown."""
        self._client = client
        self._timeout_s = timeout_s
        self._observed = Observed()
        self._is_seen = asyncio.Event()

    def observe_request(self, record: RequestRecord) -> None:
        """Count a request that ended."""
        preset = record.preset or UNKNOWN_PRESET
        rows = record.timings.rows if record.timings else 0
        request = (preset, record.task, outcome(record.error), record.seconds, rows)
        self._observed.requests.append(request)
        self._is_seen.set()

    def observe_tokenization(self, seconds: float) -> None:
        """Count the tokenization of one request."""
        self._observed.tokenizations.append(seconds)
        self._is_seen.set()

    def observe_invalid_request(self) -> None:
        """Count a request whose body was refused before a preset was looked up."""
        self._observed.invalid_requests += 1
        self._is_seen.set()

    def observe_response(self, route: str, status: int) -> None:
        """Count an answer."""
        self._observed.responses.append((route, status))
        self._is_seen.set()

    async def tally(self, preset: str) -> Tally:
        """Return how the requests for a preset went."""
        async with deadline(self._timeout_s):
            await self._tell()
            return (await self._client.call(Count(preset), Counted)).tally

    async def expose(self) -> bytes:
        """Return every metric in Prometheus' text format."""
        async with deadline(self._timeout_s):
            await self._tell()
            return (await self._client.call(Expose(), Exposed)).text

    async def tell_all(self) -> None:
        """Tell what is seen soon after it is, for ever."""
        while True:
            await self._is_seen.wait()
            await asyncio.sleep(_GATHERED_S)
            with suppress(EngineLostError):
                await self._tell()

    async def _tell(self) -> None:
        self._is_seen.clear()
        observed, self._observed = self._observed, Observed()
        await self._client.tell(observed)


@dataclass(frozen=True, slots=True)
class RemoteHost:
    """The parts that others use."""

    models: RemoteModels
    preset_states: RemotePresetStates
    metrics: RemoteMetrics


@asynccontextmanager
async def open_remote_host(settings: Settings, path: Path) -> AsyncIterator[RemoteHost]:
    """Put together what answers through the Unix socket of a path."""
    timeout_s = settings.request_timeout_s
    async with AsyncExitStack() as stack:
        client = EngineClient(path)
        stack.push_async_callback(client.close)
        models = RemoteModels(client, settings.max_loaded_presets)
        stack.push_async_callback(models.close)
        metrics = RemoteMetrics(client, timeout_s)
        await stack.enter_async_context(owned_task(metrics.tell_all()))
        yield RemoteHost(models, RemotePresetStates(client, timeout_s), metrics)
