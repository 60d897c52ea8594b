"""Stand-ins that answer at once, or exactly when a test says so."""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar

import numpy as np

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.batches.shape_buckets import OpenShapes
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.loading.load_news import LoadNews, Report, tell_nobody
from model_store.store import ModelStore, Preset
from service.errors.exceptions import ShuttingDownError
from service.models.model_cache import ModelCache
from service.scheduling.batch_records import BatchRun

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")

VOCABULARY = (
    *("paris", "london", "##s", "the", "capital", "of", "france", "is", "cat", "dog", "sat", "."),
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
)
"""Ids in the order of their likelihood: a fake engine gives the entry `i` the score 2**-(i + 1)."""

NORMALIZER = np.float32(2)
"""What a fake engine's logits are above log-probabilities: the first two are above zero."""

MAX_SEQUENCE_LENGTH = 32

_PATIENCE_S = 120.0
"""A broken test fails after this long, where it would hang for ever. No good one ever waits."""


class ManualClock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        """Start at zero."""
        self._now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


class Gate:
    """Holds every thread that comes to it until it is opened; a test sees who has come."""

    def __init__(self) -> None:
        """Start shut."""
        self._arrivals = threading.Semaphore(0)
        self._opened = threading.Event()

    def pass_through(self) -> None:
        """Wait, in a thread, until the gate is open."""
        self._arrivals.release()
        if not self._opened.wait(_PATIENCE_S):
            message = "nobody opened the gate"
            raise TimeoutError(message)

    async def reached(self) -> None:
        """Wait until one more thread has come, or came before."""
        if not await asyncio.to_thread(self._arrivals.acquire, timeout=_PATIENCE_S):
            message = "nobody came to the gate"
            raise TimeoutError(message)

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._opened.set()

    def __enter__(self) -> Self:
        """Guard a block, so that no thread stays held when a test fails in it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let everybody through."""
        self.open()


class HeldCall(Generic[Argument, Answer]):
    """One call that waits for a test to answer it."""

    def __init__(self, argument: Argument) -> None:
        """Wait from now on."""
        self.argument = argument
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def succeed(self, answer: Answer) -> None:
        """Let the call return."""
        self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Let the call raise."""
        self.answer.set_exception(error)

    @property
    def is_pending(self) -> bool:
        """Whether nobody has answered it yet."""
        return not self.answer.done()


class HeldCalls(Generic[Argument, Answer]):
    """An async function of one argument, each of whose calls a test answers by itself."""

    def __init__(self) -> None:
        """Start without a call."""
        self.calls: list[HeldCall[Argument, Answer]] = []

    async def __call__(self, argument: Argument) -> Answer:
        """Wait for the test's answer."""
        call: HeldCall[Argument, Answer] = HeldCall(argument)
        self.calls.append(call)
        return await call.answer

    @property
    def arguments(self) -> list[Argument]:
        """What it was called with, in order."""
        return [call.argument for call in self.calls]

    @property
    def pending(self) -> list[HeldCall[Argument, Answer]]:
        """The calls that wait for an answer, in order."""
        return [call for call in self.calls if call.is_pending]


def run_in_batches(
    run: Callable[[Any], Awaitable[Any]], length: Callable[[Any], int]
) -> Callable[[Any], Awaitable[BatchRun[Any]]]:
    """Return what a batcher runs, of what only answers: as many tokens again are padding."""

    async def run_batch(items: Any) -> BatchRun[Any]:
        return BatchRun(await run(items), 2 * sum(map(length, items)))

    return run_batch


async def settle() -> None:
    """Let every other task run until all of them wait for something."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    # The loop has no event for being idle; this waits for no time.
    while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0)


class FakeModel:
    """What a cache holds, and whether it was closed."""

    def __init__(self, name: str = "model", nbytes: int = 1) -> None:
        """Start open."""
        self.name = name
        self.nbytes = nbytes
        self.is_closed = False

    async def close(self) -> None:
        """Remember that nobody may use it any more."""
        assert not self.is_closed, f"{self.name} is closed twice"
        self.is_closed = True


class LoadError(Exception):
    """What a load of broken files raises."""


class Lessee:
    """Somebody who leases a model, and keeps it until told."""

    def __init__(self, cache: ModelCache[FakeModel], name: str) -> None:
        """Ask for a model."""
        self.name = name
        self.model: FakeModel | None = None
        self.error: Exception | None = None
        self._finished = asyncio.Event()
        self.task = asyncio.create_task(self._use(cache))

    async def _use(self, cache: ModelCache[FakeModel]) -> None:
        try:
            async with cache.lease(self.name) as self.model:
                await self._finished.wait()
        except (LoadError, ShuttingDownError) as error:
            self.error = error
        finally:
            self.model = None

    def finish(self) -> None:
        """Give the model back."""
        self._finished.set()


class FakeEngine:
    """An engine whose scores fall with the id, whatever the text."""

    name = "fake"
    shapes = OpenShapes()

    def __init__(
        self, gate: Gate | None = None, answer: Callable[[Batch, int], Scores] | None = None
    ) -> None:
        """Answer at once, or after a gate; with the usual scores, or with those of `answer`."""
        self.gate = gate
        self.answer = answer or score_by_id
        self.batch_sizes: list[int] = []
        self.threads: set[str] = set()

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        # Texts of a row have numbers from 1 on.
        self.batch_sizes.append(int(batch.text_numbers.max(axis=1).sum()))
        self.threads.add(threading.current_thread().name)
        if self.gate:
            self.gate.pass_through()
        return self.answer(batch, k)


def score_by_id(batch: Batch, k: int) -> Scores:
    """Give every mask the same candidates, the entry `i` with a probability of 2**-(i + 1)."""
    (queries,) = batch.queries
    token_ids = np.tile(np.arange(k, dtype=np.int32), (batch.masks, 1))
    scores = Scores(token_ids, _log_probability(token_ids), _log_probability(queries.target_ids))
    if not batch.has_questions:
        return scores
    logits = np.tile(_log_probability(np.arange(len(VOCABULARY))), (batch.masks, 1))
    normalizers = np.full(batch.masks, NORMALIZER, np.float32)
    return replace(scores, logits=logits + NORMALIZER, normalizers=normalizers)


def make_tokenizer() -> SubwordTokenizer:
    """Return a real tokenizer with a small vocabulary."""
    return build_word_piece(VOCABULARY)


def make_model(
    engine: FakeEngine | None = None,
    nbytes: int = 100,
    batch_tokens: int = 4096,
    num_segments: int = 2,
) -> FillMaskModel:
    """Return a real model around an engine that is none."""
    facts = ModelFacts(
        vocabulary_size=len(VOCABULARY),
        max_sequence_length=MAX_SEQUENCE_LENGTH,
        parameters=nbytes // 4,
        nbytes=nbytes,
        precision="float32",
        batch_tokens=batch_tokens,
        num_segments=num_segments,
        family="bert",
    )
    return FillMaskModel(engine or FakeEngine(), make_tokenizer(), facts)


def make_preset(name: str, *, no_head: str | None = None) -> Preset:
    """Return a preset without files."""
    return Preset(name, f"The preset {name}.", 25, "fake", None, no_head)


class FakeStore(ModelStore):
    """A store of presets without files.

    Attributes:
        loads: the names of every load, in order.
        errors: what the load of a name raises; others go well.
        gates: what holds the load of a name.
        engines: the engine that a name gets, if not a new one.
        news: what the load of a name tells.
        sizes: how many bytes the model of a name takes, if not 100.
        batch_tokens: how many tokens its batches need, if not 4096.
        num_segments: how many segments it tells apart, if not 2.
    """

    def __init__(self, presets: Iterable[Preset] = ()) -> None:
        """List presets."""
        super().__init__()
        self._listed = list(presets)
        self.loads: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.gates: dict[str, Gate] = {}
        self.engines: dict[str, FakeEngine] = {}
        self.news: dict[str, list[LoadNews]] = {}
        self.sizes: dict[str, int] = {}
        self.batch_tokens: dict[str, int] = {}
        self.num_segments: dict[str, int] = {}

    def presets(self) -> list[Preset]:
        """Return every preset."""
        return list(self._listed)

    def require_obtainable(self, name: str) -> None:
        """Have every preset but those that have no head: none needs files."""
        if self.find(name).no_head:
            super().require_obtainable(name)

    def load(self, name: str, report: Report = tell_nobody) -> FillMaskModel:
        """Return a model whose engine is none."""
        self.find(name)
        self.loads.append(name)
        for news in self.news.get(name, ()):
            report(news)
        if name in self.gates:
            self.gates[name].pass_through()
        if name in self.errors:
            raise self.errors[name]
        return make_model(
            self.engines.get(name),
            self.sizes.get(name, 100),
            self.batch_tokens.get(name, 4096),
            self.num_segments.get(name, 2),
        )


def _log_probability(token_ids: np.ndarray) -> np.ndarray:
    return ((token_ids + 1) * -math.log(2)).astype(np.float32)
