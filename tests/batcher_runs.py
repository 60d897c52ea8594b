"""A batcher in its tests, and an engine that waits for them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from fakes import HeldCall, HeldCalls, run_in_batches, settle
from service.scheduling.batch_records import BatchLimits, BatchRecord
from service.scheduling.batching import MicroBatcher

Run = HeldCalls[Sequence[int], list[int]]


Batcher = MicroBatcher[int, int]


class EngineError(Exception):
    """What a broken engine raises."""


@asynccontextmanager
async def batching(
    run: Callable[[Sequence[int]], Awaitable[Sequence[int]]],
    limits: BatchLimits | None = None,
    *,
    observe: Callable[[BatchRecord], None] = lambda _: None,
    clock: Callable[[], float] = lambda: 0.0,
    ahead: int = 0,
) -> AsyncIterator[Batcher]:
    """Give a batcher of items that are their own length, and end it."""
    batcher: Batcher = MicroBatcher(
        run_in_batches(run, int),
        length=int,
        limits=limits or BatchLimits(4, 1000, 10),
        observe=observe,
        clock=clock,
        ahead=ahead,
    )
    try:
        yield batcher
    finally:
        kill(batcher)
        await settle()


def kill(batcher: Batcher) -> None:
    """Cancel the batches that run, as an event loop does that goes down."""
    for task in batcher._running:
        task.cancel()


def double(call: HeldCall[Sequence[int], list[int]]) -> None:
    """Answer a batch as a good engine would: every item has the result of its own."""
    call.succeed([2 * item for item in call.argument])
