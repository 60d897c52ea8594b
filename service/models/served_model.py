"""A loaded model and the queue in front of it: what the cache holds and the pipeline uses."""

import asyncio
import gc
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple

from structlog.contextvars import bound_contextvars, get_contextvars

from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.errors import ModelLoadError
from model_store.loading.load_news import LoadNews
from model_store.store import ModelStore
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec
from service.errors.exceptions import ShuttingDownError
from service.scheduling.batch_records import BatchedResults, BatchLimits, BatchRecord, BatchRun
from service.scheduling.batching import MicroBatcher

_CHECKED_TOKENS = 3
"""How long a text is that says whether an engine runs: a mask between two special tokens."""


class _AskedText(NamedTuple):
    """A text, and the id of the request that it belongs to."""

    encoding: Encoding
    request_id: str | None


class ServedModel:
    """A model whose predictions go through a micro-batcher to the engine's thread."""

    def __init__(
        self,
        model: FillMaskModel,
        engine_thread: Executor,
        limits: BatchLimits,
        observe: Callable[[BatchRecord], None],
    ) -> None:
        """Put a queue in front of a model; needs a running event loop."""
        self.model = model
        self._engine_thread = engine_thread
        self._checking: asyncio.Task[None] | None = None
        self._batcher: MicroBatcher[_AskedText, list[MaskScores]] = MicroBatcher(
            self._predict,
            length=lambda text: len(text.encoding.token_ids),
            limits=limits,
            observe=observe,
            ahead=1,
        )

    @property
    def codec(self) -> TextCodec:
        """What encodes and decodes for the model."""
        return self.model

    @property
    def nbytes(self) -> int:
        """The memory that the weights take."""
        return self.model.facts.nbytes

    @property
    def queue_size(self) -> int:
        """How many texts wait."""
        return self._batcher.queue_size

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest text in the queue has waited; 0 where it is empty."""
        return self._batcher.oldest_seconds

    async def predict(
        self, encodings: Sequence[Encoding], within_s: float = math.inf
    ) -> BatchedResults[list[MaskScores]]:
        """Score the texts of one request, together with whatever else waits.

        Raises:
            QueueFullError: it would not be done within that time.
        """
        request_id = get_contextvars().get("request_id")
        texts = [_AskedText(encoding, request_id) for encoding in encodings]
        return await self._batcher.submit(texts, within_s)

    async def check(self) -> None:
        """Score one text beside the queue: that much waits does not mean that nothing runs."""
        # One for all who ask: an engine that is stuck would gather them for ever.
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check(), name="check")
        await asyncio.shield(self._checking)

    async def close(self) -> None:
        """Answer what waits, and give the memory back."""
        await self._batcher.close()
        if self._checking is not None:
            await asyncio.gather(self._checking, return_exceptions=True)
        del self.model
        # Models are full of reference cycles, and the cache counts on their memory.
        await asyncio.get_running_loop().run_in_executor(self._engine_thread, gc.collect)

    async def _check(self) -> None:
        await self._predict([_AskedText(self.model.make_text(_CHECKED_TOKENS), None)])

    async def _predict(self, texts: Sequence[_AskedText]) -> BatchRun[list[MaskScores]]:
        encodings = [text.encoding for text in texts]
        # Here, and not in the engine's thread, which may be running the batch before this one.
        batch = self.model.collate(encodings)
        run = partial(self.model.predict, encodings, batch)
        # A batch is of many requests: what is logged of it names them all.
        asked = {text.request_id: None for text in texts if text.request_id}
        loop = asyncio.get_running_loop()
        predicting = loop.run_in_executor(self._engine_thread, _run_for, list(asked), run)
        return BatchRun(await predicting, batch.computed_tokens)


def _run_for(request_ids: list[str], run: Callable[[], list[list[MaskScores]]]) -> Any:
    with bound_contextvars(request_ids=request_ids):
        return run()


class PresetFetcher:
    """Fetches the files of presets, in threads that loads do not wait for."""

    def __init__(self, store: ModelStore, threads: Executor) -> None:
        """Fetch into a store."""
        self._store = store
        self._threads = threads
        self._downloading: set[str] = set()
        self._stopping = threading.Event()

    @property
    def downloading(self) -> frozenset[str]:
        """The names whose files are being fetched now."""
        return frozenset(self._downloading)

    async def fetch(self, name: str) -> None:
        """Fetch the files of a preset, if they are not here.

        Raises:
            ModelStoreError: they cannot be had.
        """
        # Not in the fetching threads: a preset that is here must not wait for downloads.
        if not await asyncio.to_thread(self._store.is_fetchable, name):
            return
        loop = asyncio.get_running_loop()
        self._downloading.add(name)
        try:
            await loop.run_in_executor(
                self._threads, self._store.fetch, name, self._end_when_stopping
            )
        finally:
            self._downloading.discard(name)

    def stop(self) -> None:
        """End what is under way; what was fetched is kept for the next time."""
        self._stopping.set()

    def _end_when_stopping(self, _done: int, _total: int) -> None:
        if self._stopping.is_set():
            raise ShuttingDownError


class ServedModelLoader:
    """Loads a preset in a thread of its own and puts a queue in front of it."""

    def __init__(
        self,
        store: ModelStore,
        *,
        engine_thread: Executor,
        loader_thread: Executor,
        limits: Callable[[ModelFacts], BatchLimits],
        max_bytes: int,
        observe: Callable[[BatchRecord], None],
        report: Callable[[str, LoadNews], None] = lambda _preset, _news: None,
    ) -> None:
        """Remember what every model shares: one engine thread, so that they take turns.

        `limits` says how much of a model may run together, from what is known of it. `report` is
        told, in the loader's thread, what a load of a preset tells.
        """
        self._store = store
        self._engine_thread = engine_thread
        self._loader_thread = loader_thread
        self._limits = limits
        self._max_bytes = max_bytes
        self._observe = observe
        self._report = report

    async def load(self, name: str) -> ServedModel:
        """Load a preset.

        Raises:
            ModelStoreError: it cannot be loaded.
        """
        loop = asyncio.get_running_loop()
        report = partial(self._report, name)
        # With the ids of who asked for it, for what is logged of it over there.
        load = partial(copy_context().run, self._store.load, name, report)
        model = await loop.run_in_executor(self._loader_thread, load)
        limits = self._limits(model.facts)
        if model.facts.nbytes > self._max_bytes:
            message = (
                f"{name} takes {model.facts.nbytes} bytes and the limit is {self._max_bytes}; "
                "raise FILLMASK_MAX_LOADED_BYTES."
            )
            raise ModelLoadError(message)
        await loop.run_in_executor(
            self._loader_thread, model.warm_up, limits.max_batch_size, limits.max_batch_tokens
        )
        return ServedModel(model, self._engine_thread, limits, self._observe)
