"""Micro-batching: what arrives while the engine is busy runs together when it is free.

No timer is involved. An idle engine starts at once; the time a batch takes is the window in which
the next one gathers. A batch is the oldest items, as many as it may hold; what shares its rows with
what is not decided here. Where a whole batch more is waiting, it is handed over before the engine
asks.

The queue is bounded in items, in tokens and in time: what could not be done in the time that its
caller has, at the rate of the last batches, is refused at once.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

from model_store.errors import RequestLimitError
from service.errors.exceptions import QueueFullError, ShuttingDownError
from service.scheduling.batch_records import BatchedResults, BatchLimits, BatchRecord, BatchRun
from service.scheduling.throughput import Throughput

Item = TypeVar("Item")
Result = TypeVar("Result")

_PROMISED = 0.75
"""How much of its time an item may be expected to wait: rates change."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Result]):
    item: Item
    length: int
    submitted: float
    future: asyncio.Future[Result]
    started: float = math.nan
    ended: float = math.nan


class MicroBatcher(Generic[Item, Result]):
    """A bounded queue in front of one engine.

    It knows neither models nor HTTP: `run` turns items into results of the same number and order.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[BatchRun[Result]]],
        *,
        length: Callable[[Item], int],
        limits: BatchLimits,
        observe: Callable[[BatchRecord], None] = lambda _: None,
        clock: Callable[[], float] = perf_counter,
        ahead: int = 0,
    ) -> None:
        """Stand ready; needs a running event loop.

        Args:
            run: computes one batch; it is called in the order in which batches are to run.
            length: an item's length in tokens.
            limits: how much may run together and wait.
            observe: called after every batch.
            clock: seconds, monotonic.
            ahead: how many full batches may be handed over while another one runs.
        """
        self._run = run
        self._length = length
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._ahead = ahead
        # A dict, for its order: whoever leaves does so from the middle as well.
        self._queue: dict[_Entry[Item, Result], None] = {}
        self._queued_tokens = 0
        self._running_tokens = 0
        self._throughput = Throughput()
        self._last_end = -math.inf
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False
        self._drained = asyncio.Event()

    @property
    def queue_size(self) -> int:
        """How many items wait."""
        return len(self._queue)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest item in the queue has waited; 0 where it is empty."""
        return next((self._clock() - entry.submitted for entry in self._queue), 0.0)

    async def submit(
        self, items: Sequence[Item], within_s: float = math.inf
    ) -> BatchedResults[Result]:
        """Queue the items of one request, all or none, and return their results in order.

        Args:
            items: what to run.
            within_s: how long the caller will wait. Nobody is answered later because of it;
                a caller that has left is, and then its items leave the queue.

        Raises:
            QueueFullError: they do not fit now, or could not be done in time.
            RequestLimitError: they never fit.
            ShuttingDownError: the batcher is closing.
            Exception: whatever `run` raised for the batch of one of them.
        """
        if self._closing:
            raise ShuttingDownError
        lengths = [self._length(item) for item in items]
        self._require_room(len(items), sum(lengths), within_s)
        loop, now = asyncio.get_running_loop(), self._clock()
        entries: list[_Entry[Item, Result]] = [
            _Entry(item, length, now, loop.create_future())
            for item, length in zip(items, lengths, strict=True)
        ]
        self._queue.update(dict.fromkeys(entries))
        self._queued_tokens += sum(lengths)
        # Not at once: what else arrives in this turn of the loop is to run together with it.
        loop.call_soon(self._start_batches)
        try:
            results = BatchedResults(await asyncio.gather(*(entry.future for entry in entries)))
        finally:
            for entry in entries:
                entry.future.cancel()
            self._leave(entries)
        results.queue_seconds = max((e.started - e.submitted for e in entries), default=0.0)
        results.inference_seconds = max((e.ended - e.started for e in entries), default=0.0)
        return results

    async def close(self) -> None:
        """Take no new items, answer those that wait, and stop."""
        self._closing = True
        self._start_batches()
        await self._drained.wait()

    def _require_room(self, items: int, tokens: int, within_s: float) -> None:
        """Refuse what does not fit, or would be waited for in vain."""
        limits = self._limits
        # What never fits is not told to try again.
        for what, count, limit in (
            ("texts at once", items, limits.max_queue_size),
            ("tokens at once", tokens, limits.max_queue_tokens),
        ):
            if count > limit:
                raise RequestLimitError(what, count, limit)
        ahead = self._queued_tokens + self._running_tokens
        is_full = (
            len(self._queue) + items > limits.max_queue_size
            or self._queued_tokens + tokens > limits.max_queue_tokens
        )
        # With less than a batch in line, batches are small: their rate says little, the wait is
        # short, and whoever is in a hurry may try.
        wait = self._throughput.seconds(ahead + tokens)
        is_late = self._queued_tokens >= limits.max_batch_tokens and wait > _PROMISED * within_s
        if is_full or is_late:
            # From then on it would fit, if nobody else came.
            until = wait - _PROMISED * within_s if is_late else self._throughput.seconds(tokens)
            raise QueueFullError(until)

    def _leave(self, entries: Iterable[_Entry[Item, Result]]) -> None:
        """Take entries out of the queue, where they are still in it."""
        for entry in entries:
            if entry in self._queue:
                del self._queue[entry]
                self._queued_tokens -= entry.length

    def _start_batches(self) -> None:
        """Hand over what may run now."""
        while self._queue and self._may_start():
            if entries := self._take():
                task = asyncio.create_task(self._run_batch(entries), name="batch")
                self._running.add(task)
                task.add_done_callback(self._end_batch)
        if self._closing and not self._queue and not self._running:
            self._drained.set()

    def _may_start(self) -> bool:
        """Say whether the engine is free, or will be asked for more than one batch anyway."""
        if not self._running:
            return True
        return len(self._running) <= self._ahead and self._is_batch_full()

    def _is_batch_full(self) -> bool:
        return (
            len(self._queue) >= self._limits.max_batch_size
            or self._queued_tokens >= self._limits.max_batch_tokens
        )

    def _end_batch(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            # The event loop is going down, and nobody is to wait for it.
            self._closing = True
            _abandon(self._queue)
            self._leave(list(self._queue))
        self._start_batches()

    def _take(self) -> list[_Entry[Item, Result]]:
        """Take the next batch out of the queue, and whose callers left as well."""
        self._leave([entry for entry in self._queue if entry.future.done()])
        taken: list[_Entry[Item, Result]] = []
        tokens = 0
        for entry in self._queue:
            tokens += entry.length
            is_too_much = tokens > self._limits.max_batch_tokens
            if taken and (is_too_much or len(taken) == self._limits.max_batch_size):
                break
            taken.append(entry)
        self._leave(taken)
        return taken

    async def _run_batch(self, entries: list[_Entry[Item, Result]]) -> None:
        """Run one batch and tell every caller; an error is theirs, never the loop's."""
        tokens = sum(entry.length for entry in entries)
        self._running_tokens += tokens
        started = self._clock()
        computed = 0
        try:
            run = await self._run([entry.item for entry in entries])
            ended, computed = self._clock(), run.computed_tokens
            # All pairs before the first answer: a run that miscounts may have mixed them all up.
            for entry, result in list(zip(entries, run.results, strict=True)):
                entry.started, entry.ended = started, ended
                if not entry.future.done():
                    entry.future.set_result(result)
        except Exception as error:  # noqa: BLE001  # whatever it is, the callers must hear of it
            for entry in entries:
                if not entry.future.done():
                    entry.future.set_exception(error)
        finally:
            self._running_tokens -= tokens
            _abandon(entries)
        ended = self._clock()
        # A batch that was handed over ahead began when the one before it ended.
        self._throughput.observe(tokens, ended - max(started, self._last_end))
        self._last_end = ended
        self._observe(
            BatchRecord(
                size=len(entries),
                tokens=tokens,
                computed_tokens=computed,
                queue_seconds=tuple(started - entry.submitted for entry in entries),
                inference_seconds=ended - started,
            )
        )


def _abandon(entries: Iterable[_Entry[Item, Result]]) -> None:
    """Let no caller wait for a loop that was cancelled."""
    for entry in entries:
        if not entry.future.done():
            entry.future.set_exception(ShuttingDownError())
