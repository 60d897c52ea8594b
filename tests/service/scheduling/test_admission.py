"""What is let into the queue: what fits, and what can be done in time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fakes import HeldCalls, ManualClock, run_in_batches, settle
from model_store.errors import RequestLimitError
from service.errors.exceptions import QueueFullError
from service.scheduling.batch_records import BatchLimits
from service.scheduling.batching import MicroBatcher
from service.scheduling.throughput import Throughput

Batcher = MicroBatcher[int, int]
Run = HeldCalls[Sequence[int], list[int]]

LIMITS = BatchLimits(max_batch_size=2, max_batch_tokens=20, max_queue_size=100)


def make_batcher(run: Run, clock: ManualClock, limits: BatchLimits = LIMITS) -> Batcher:
    """Return a batcher of items that are their own length."""
    return MicroBatcher(
        run_in_batches(run, int),
        length=int,
        limits=limits,
        clock=clock,
    )


async def finish(run: Run) -> None:
    """Answer the batch that runs."""
    [call] = run.pending
    call.succeed(list(call.argument))
    await settle()


async def learn(batcher: Batcher, run: Run, clock: ManualClock) -> None:
    """Let a batch of 20 tokens take two seconds: ten tokens a second from then on."""
    caller = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    clock.advance(2)
    await finish(run)
    await caller


@pytest.fixture
def run() -> Run:
    """Return an engine that waits for the test."""
    return HeldCalls()


async def test_what_cannot_be_done_in_time_is_refused_at_once(run: Run) -> None:
    """At ten tokens a second, 40 ahead and ten more take five seconds."""
    clock = ManualClock()
    batcher = make_batcher(run, clock)
    await learn(batcher, run, clock)
    running = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    waiting = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    with pytest.raises(QueueFullError) as refused:
        await batcher.submit([10], within_s=4)
    # Three of the four seconds are promised, so there is room in two.
    assert refused.value.wait_s == pytest.approx(2)
    patient = asyncio.create_task(batcher.submit([10], within_s=7))
    await settle()
    for _ in range(3):
        await finish(run)
    await asyncio.gather(running, waiting, patient)
    await batcher.close()


async def test_who_finds_less_than_a_batch_waiting_may_try(run: Run) -> None:
    """The rate of small batches says little about a full one."""
    clock = ManualClock()
    batcher = make_batcher(run, clock)
    await learn(batcher, run, clock)
    running = asyncio.create_task(batcher.submit([10, 9]))
    await settle()
    hasty = asyncio.create_task(batcher.submit([10], within_s=0.001))
    await settle()
    for _ in range(2):
        await finish(run)
    await asyncio.gather(running, hasty)
    await batcher.close()


async def test_nothing_is_refused_before_anything_is_known(run: Run) -> None:
    """The first batches tell the rate."""
    batcher = make_batcher(run, ManualClock())
    callers = [asyncio.create_task(batcher.submit([10] * 5, within_s=0.001))]
    await settle()
    callers.append(asyncio.create_task(batcher.submit([10], within_s=0.001)))
    await settle()
    while run.pending:
        await finish(run)
    await asyncio.gather(*callers)
    await batcher.close()


async def test_queue_is_bounded_in_tokens(run: Run) -> None:
    """A few long texts may be as much as many short ones."""
    clock = ManualClock()
    limits = BatchLimits(2, 20, max_queue_size=100, max_queue_tokens=30)
    batcher = make_batcher(run, clock, limits)
    running = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    waiting = asyncio.create_task(batcher.submit([30]))
    await settle()
    with pytest.raises(QueueFullError):
        await batcher.submit([1])
    for _ in range(2):
        await finish(run)
    await asyncio.gather(running, waiting)
    await batcher.close()


async def test_caller_who_leaves_makes_room_at_once(run: Run) -> None:
    """Not only when the turn of the items would have come."""
    limits = BatchLimits(2, 20, max_queue_size=2, max_queue_tokens=20)
    batcher = make_batcher(run, ManualClock(), limits)
    running = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    leaving = asyncio.create_task(batcher.submit([10, 10]))
    await settle()
    leaving.cancel()
    await settle()
    assert batcher.queue_size == 0
    staying = asyncio.create_task(batcher.submit([5, 5]))
    await settle()
    for _ in range(2):
        await finish(run)
    assert run.arguments == [[10, 10], [5, 5]]
    await asyncio.gather(running, staying)
    await batcher.close()


async def test_nobody_is_passed(run: Run) -> None:
    """A better fit that came after the others has to wait for its turn."""
    batcher = make_batcher(run, ManualClock())
    running = asyncio.create_task(batcher.submit([1, 1]))
    await settle()
    waiting = asyncio.create_task(batcher.submit([5, 9, 9, 5]))
    await settle()
    while run.pending:
        await finish(run)
    assert run.arguments[1:] == [[5, 9], [9, 5]]
    await asyncio.gather(running, waiting)
    await batcher.close()


async def test_results_say_how_long_they_took(run: Run) -> None:
    """The wait of the item that waited longest, and the batch that ran longest."""
    clock = ManualClock()
    batcher = make_batcher(run, clock)
    running = asyncio.create_task(batcher.submit([10]))
    await settle()
    waiting = asyncio.create_task(batcher.submit([3, 4, 5]))
    await settle()
    for seconds in (3, 1, 2):
        clock.advance(seconds)
        await finish(run)
    results = await waiting
    assert (results.queue_seconds, results.inference_seconds) == (4, 2)
    await running
    await batcher.close()


def test_throughput_of_nothing_is_unknown() -> None:
    """No wait is expected where none was seen."""
    assert Throughput().seconds(1000) == 0


def test_throughput_follows_what_it_sees() -> None:
    """Large batches weigh more than small ones, new ones more than old ones."""
    throughput = Throughput()
    throughput.observe(100, 10)
    assert throughput.seconds(10) == pytest.approx(1)
    throughput.observe(1, 10)
    assert throughput.seconds(10) == pytest.approx(10 * 18 / 81)
    for _ in range(50):
        throughput.observe(100, 1)
    assert throughput.seconds(100) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(
    ("items", "limits", "sentence"),
    [
        ([1, 1], {"max_queue_size": 1}, "asks for 2 texts at once and the limit is 1"),
        ([7, 7], {"max_queue_tokens": 13}, "asks for 14 tokens at once and the limit is 13"),
    ],
)
async def test_what_never_fits_is_not_told_to_try_again(
    run: Run, items: list[int], limits: dict[str, int], sentence: str
) -> None:
    """Though the queue is empty."""
    batcher = make_batcher(run, ManualClock(), replace(LIMITS, **limits))
    with pytest.raises(RequestLimitError, match=sentence):
        await batcher.submit(items)
    assert batcher.queue_size == 0
    await batcher.close()
