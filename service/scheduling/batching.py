"""Micro-batching: what arrives while the engine is busy runs together when it is free.

No timer is involved. An idle engine starts at once; the time a batch takes is the window in which
the next one gathers. A batch is the oldest items, as many as it may hold; what shares its rows with
what is not decided here. Where a whole batch more is waiting, it is handed over before the engine
asks. Who is let in and who runs next is `WaitingLine`'s to say.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

from service.errors.exceptions import ShuttingDownError
from service.scheduling.batch_records import BatchedResults, BatchLimits, BatchRecord, BatchRun
from service.scheduling.waiting_line import WaitingLine

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Result]):
    item: Item
    length: int
    submitted: float
    future: asyncio.Future[Result]
    started: float = math.nan
    ended: float = math.nan

    @property
    def is_gone(self) -> bool:
        """Whether its caller left."""
        return self.future.done()


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
        self._observe = observe
        self._clock = clock
        self._line: WaitingLine[_Entry[Item, Result]] = WaitingLine(limits, ahead)
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False
        self._drained = asyncio.Event()

    @property
    def queue_size(self) -> int:
        """How many items wait."""
        return len(self._line)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest item in the queue has waited; 0 where it is empty."""
        return next((self._clock() - entry.submitted for entry in self._line), 0.0)

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
        self._line.require_room(len(items), sum(lengths), within_s)
        loop, now = asyncio.get_running_loop(), self._clock()
        entries: list[_Entry[Item, Result]] = [
            _Entry(item, length, now, loop.create_future())
            for item, length in zip(items, lengths, strict=True)
        ]
        self._line.join(entries)
        # Not at once: what else arrives in this turn of the loop is to run together with it.
        loop.call_soon(self._start_batches)
        try:
            results = BatchedResults(await asyncio.gather(*(entry.future for entry in entries)))
        finally:
            for entry in entries:
                entry.future.cancel()
            self._line.leave(entries)
        results.queue_seconds = max((e.started - e.submitted for e in entries), default=0.0)
        results.inference_seconds = max((e.ended - e.started for e in entries), default=0.0)
        return results

    async def close(self) -> None:
        """Take no new items, answer those that wait, and stop."""
        self._closing = True
        self._start_batches()
        await self._drained.wait()

    def _start_batches(self) -> None:
        """Hand over what may run now."""
        while entries := self._line.take(len(self._running)):
            task = asyncio.create_task(self._run_batch(entries), name="batch")
            self._running.add(task)
            task.add_done_callback(self._end_batch)
        if self._closing and not self._line and not self._running:
            self._drained.set()

    def _end_batch(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            # The event loop is going down, and nobody is to wait for it.
            self._closing = True
            _abandon(self._line)
            self._line.leave(list(self._line))
        self._start_batches()

    async def _run_batch(self, entries: list[_Entry[Item, Result]]) -> None:
        """Run one batch and tell every caller; an error is theirs, never the loop's."""
        tokens = sum(entry.length for entry in entries)
        self._line.begin(tokens)
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
            self._line.end(tokens)
            _abandon(entries)
        ended = self._clock()
        self._line.learn(tokens, started, ended)
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
