"""Micro-batching: what arrives while the engine is busy runs together when it is free.

No timer is involved. An idle engine starts at once; the time a batch takes is the window in which
the next one gathers. The oldest items go first.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(slots=True)
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
    ) -> None:
        """Start the loop that runs batches; needs a running event loop.

        Args:
            run: computes one batch; it is never called again before it returns.
            length: an item's length in tokens.
            padded_tokens: what a batch of so many items, the longest of such a length, costs.
            limits: how much may run together and wait.
            observe: called after every batch.
            clock: seconds, monotonic.
        """
        self._run = run
        self._length = length
        self._padded_tokens = padded_tokens
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._queue: deque[_Entry[Item, Result]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._loop_task = asyncio.create_task(self._loop(), name="micro-batcher")
        self._loop_task.add_done_callback(self._end)

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
        self._wake.set()
        try:
            return await asyncio.gather(*(entry.future for entry in entries))
        finally:
            for entry in entries:
                entry.future.cancel()

    async def close(self) -> None:
        """Take no new items, answer those that wait, and stop."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._loop_task])

    async def _loop(self) -> None:
        while self._queue or not self._closing:
            await self._wake.wait()
            if entries := self._take():
                await self._run_batch(entries)
            if not self._queue and not self._closing:
                self._wake.clear()

    def _end(self, _: asyncio.Task[None]) -> None:
        """Keep nobody in line, however the loop ended: a cancelled one may never have begun."""
        self._closing = True
        _abandon(self._queue)

    def _take(self) -> list[_Entry[Item, Result]]:
        """Take the oldest entries that fit in one batch, leaving out those whose callers left."""
        entries: list[_Entry[Item, Result]] = []
        longest = 0
        while self._queue and len(entries) < self._limits.max_batch_size:
            entry = self._queue[0]
            if not entry.future.done():
                longest = max(longest, entry.length)
                tokens = self._padded_tokens(len(entries) + 1, longest)
                if entries and tokens > self._limits.max_batch_tokens:
                    break
                entries.append(entry)
            self._queue.popleft()
        return entries

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
