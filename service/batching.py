"""Micro-batching: what arrives while the engine is busy runs together when it is free.

No timer is involved. An idle engine starts at once; the time a batch takes is the window in which
the next one gathers. A batch is the oldest item and those of like length: nobody starves, and
little is padded. Where a whole batch more is waiting, it is handed over before the engine asks.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Generic, TypeVar

from service.errors import QueueFullError, ShuttingDownError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much may run together, and how much may wait."""

    max_batch_size: int
    max_batch_tokens: int
    max_queue_size: int


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch that ran, well or not.

    Attributes:
        size: its items.
        tokens: the sum of their lengths.
        padded_tokens: what was computed, padding counted.
        queue_seconds: how long each item had waited.
        inference_seconds: how long the batch ran.
    """

    size: int
    tokens: int
    padded_tokens: int
    queue_seconds: tuple[float, ...]
    inference_seconds: float


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Result]):
    item: Item
    length: int
    submitted: float
    future: asyncio.Future[Result]


class MicroBatcher(Generic[Item, Result]):
    """A bounded queue in front of one engine.

    It knows neither models nor HTTP: `run` turns items into results of the same number and order.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        length: Callable[[Item], int],
        padded_tokens: Callable[[int, int], int],
        limits: BatchLimits,
        observe: Callable[[BatchRecord], None] = lambda _: None,
        clock: Callable[[], float] = perf_counter,
        ahead: int = 0,
    ) -> None:
        """Stand ready; needs a running event loop.

        Args:
            run: computes one batch; it is called in the order in which batches are to run.
            length: an item's length in tokens.
            padded_tokens: what a batch of so many items, the longest of such a length, costs.
            limits: how much may run together and wait.
            observe: called after every batch.
            clock: seconds, monotonic.
            ahead: how many full batches may be handed over while another one runs.
        """
        self._run = run
        self._length = length
        self._padded_tokens = padded_tokens
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._ahead = ahead
        self._queue: deque[_Entry[Item, Result]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False
        self._drained = asyncio.Event()

    @property
    def queue_size(self) -> int:
        """How many items wait, those whose callers left included until their turn."""
        return len(self._queue)

    async def submit(self, items: Sequence[Item]) -> list[Result]:
        """Queue the items of one request, all or none, and return their results in order.

        Raises:
            QueueFullError: they do not fit.
            ShuttingDownError: the batcher is closing.
            Exception: whatever `run` raised for the batch of one of them.
        """
        if self._closing:
            raise ShuttingDownError
        if len(self._queue) + len(items) > self._limits.max_queue_size:
            raise QueueFullError
        loop, now = asyncio.get_running_loop(), self._clock()
        entries: list[_Entry[Item, Result]] = [
            _Entry(item, self._length(item), now, loop.create_future()) for item in items
        ]
        self._queue.extend(entries)
        # Not at once: what else arrives in this turn of the loop is to run together with it.
        loop.call_soon(self._start_batches)
        try:
            return await asyncio.gather(*(entry.future for entry in entries))
        finally:
            for entry in entries:
                entry.future.cancel()

    async def close(self) -> None:
        """Take no new items, answer those that wait, and stop."""
        self._closing = True
        self._start_batches()
        await self._drained.wait()

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
        longest = [entry.length for entry in islice(self._queue, self._limits.max_batch_size)]
        return (
            len(longest) == self._limits.max_batch_size
            or self._padded_tokens(len(longest), max(longest)) >= self._limits.max_batch_tokens
        )

    def _end_batch(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            # The event loop is going down, and nobody is to wait for it.
            self._closing = True
            _abandon(self._queue)
            self._queue.clear()
        self._start_batches()

    def _take(self) -> list[_Entry[Item, Result]]:
        """Take the oldest entry and those nearest to it in length, as many as fit in one batch.

        Entries whose callers left are dropped.
        """
        waiting = [entry for entry in self._queue if not entry.future.done()]
        if not waiting:
            self._queue.clear()
            return []
        oldest = waiting[0]
        by_length = sorted(waiting, key=lambda entry: entry.length)
        first, last = self._grow(by_length, by_length.index(oldest))
        taken = by_length[first:last]
        leaving = {id(entry) for entry in taken}
        self._queue = deque(entry for entry in waiting if id(entry) not in leaving)
        return taken

    def _grow(self, entries: Sequence[_Entry[Item, Result]], start: int) -> tuple[int, int]:
        """Return the slice around an entry that makes a batch, grown where it pads the least."""
        first, last = start, start + 1
        while last - first < self._limits.max_batch_size:
            longest = entries[last - 1].length
            shorter = longest - entries[first - 1].length if first else None
            longer = (
                (entries[last].length - longest) * (last - first) if last < len(entries) else None
            )
            if longer is not None and (shorter is None or longer < shorter):
                if self._exceeds(last - first + 1, entries[last].length):
                    break
                last += 1
            elif shorter is not None:
                if self._exceeds(last - first + 1, longest):
                    break
                first -= 1
            else:
                break
        return first, last

    def _exceeds(self, rows: int, longest: int) -> bool:
        return self._padded_tokens(rows, longest) > self._limits.max_batch_tokens

    async def _run_batch(self, entries: list[_Entry[Item, Result]]) -> None:
        """Run one batch and tell every caller; an error is theirs, never the loop's."""
        started = self._clock()
        try:
            results = await self._run([entry.item for entry in entries])
            # All pairs before the first answer: a run that miscounts may have mixed them all up.
            for entry, result in list(zip(entries, results, strict=True)):
                if not entry.future.done():
                    entry.future.set_result(result)
        except Exception as error:  # noqa: BLE001  # whatever it is, the callers must hear of it
            for entry in entries:
                if not entry.future.done():
                    entry.future.set_exception(error)
        finally:
            _abandon(entries)
        self._observe(self._record(entries, started))

    def _record(self, entries: list[_Entry[Item, Result]], started: float) -> BatchRecord:
        lengths = [entry.length for entry in entries]
        return BatchRecord(
            size=len(entries),
            tokens=sum(lengths),
            padded_tokens=self._padded_tokens(len(lengths), max(lengths)),
            queue_seconds=tuple(started - entry.submitted for entry in entries),
            inference_seconds=self._clock() - started,
        )


def _abandon(entries: Iterable[_Entry[Item, Result]]) -> None:
    """Let no caller wait for a loop that was cancelled."""
    for entry in entries:
        if not entry.future.done():
            entry.future.set_exception(ShuttingDownError())
