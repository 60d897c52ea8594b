"""The micro-batcher: order, limits, and records."""

import asyncio

import pytest

from batcher_runs import Run, batching, double
from fakes import ManualClock, settle
from service.errors.exceptions import QueueFullError
from service.scheduling.batch_records import BatchLimits, BatchRecord


async def test_idle_engine_starts_at_once(run: Run) -> None:
    """A lone item waits for no company."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([7]))
        await settle()
        assert run.arguments == [[7]]
        caller.cancel()


async def test_what_arrives_while_the_engine_is_busy_runs_together(run: Run) -> None:
    """The next batch gathers while one runs."""
    async with batching(run) as batcher:
        callers = [asyncio.create_task(batcher.submit([1]))]
        await settle()
        callers += [asyncio.create_task(batcher.submit([item])) for item in (2, 3)]
        await settle()
        double(run.calls[0])
        await settle()
        assert run.arguments == [[1], [2, 3]]


async def test_results_come_in_the_order_of_the_items(run: Run) -> None:
    """Every item of a request gets the result of its own."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([3, 1, 2]))
        await settle()
        double(run.calls[0])
        assert await caller == [6, 2, 4]


async def test_request_larger_than_a_batch_is_answered_whole(run: Run) -> None:
    """A request may take several batches."""
    async with batching(run, BatchLimits(2, 1000, 10)) as batcher:
        caller = asyncio.create_task(batcher.submit([1, 2, 3]))
        for number in range(2):
            await settle()
            double(run.calls[number])
        assert await caller == [2, 4, 6]


async def test_batch_never_holds_more_items_than_allowed(run: Run) -> None:
    """The limit on size cuts the queue into batches."""
    async with batching(run, BatchLimits(2, 1000, 10)) as batcher:
        caller = asyncio.create_task(batcher.submit([1, 2, 3, 4, 5]))
        for number in range(3):
            await settle()
            double(run.calls[number])
        await caller
        assert run.arguments == [[1, 2], [3, 4], [5]]


async def test_batch_never_holds_more_tokens_than_allowed(run: Run) -> None:
    """The oldest run first, as many as the limit on tokens lets through."""
    async with batching(run, BatchLimits(4, 10, 10)) as batcher:
        caller = asyncio.create_task(batcher.submit([1, 1, 4, 6, 5, 5]))
        for number in range(3):
            await settle()
            double(run.calls[number])
        await caller
        assert run.arguments == [[1, 1, 4], [6], [5, 5]]


async def test_full_batch_is_handed_over_ahead(run: Run) -> None:
    """The engine finds the next batch ready; what would not fill one waits for company."""
    async with batching(run, BatchLimits(2, 1000, 10), ahead=1) as batcher:
        callers = [asyncio.create_task(batcher.submit([1]))]
        await settle()
        callers.append(asyncio.create_task(batcher.submit([2])))
        await settle()
        assert run.arguments == [[1]]
        callers.append(asyncio.create_task(batcher.submit([3, 4, 5])))
        await settle()
        assert run.arguments == [[1], [2, 3]]
        for number in range(3):
            double(run.calls[number])
            await settle()
        assert await asyncio.gather(*callers) == [[2], [4], [6, 8, 10]]


async def test_item_above_the_token_limit_runs_alone(run: Run) -> None:
    """An item that fits no batch is a batch."""
    async with batching(run, BatchLimits(4, 10, 10)) as batcher:
        caller = asyncio.create_task(batcher.submit([99, 1]))
        for number in range(2):
            await settle()
            double(run.calls[number])
        await caller
        assert run.arguments == [[99], [1]]


async def test_no_items_have_no_results(run: Run) -> None:
    """An empty request is answered without a batch."""
    async with batching(run) as batcher:
        assert await batcher.submit([]) == []
        await settle()
        assert run.calls == []


async def test_full_queue_refuses(run: Run) -> None:
    """What does not fit is refused at once."""
    async with batching(run, BatchLimits(1, 1000, 2)) as batcher:
        busy = asyncio.create_task(batcher.submit([1]))
        await settle()
        waiting = asyncio.create_task(batcher.submit([2, 3]))
        await settle()
        with pytest.raises(QueueFullError):
            await batcher.submit([4])
        busy.cancel()
        waiting.cancel()


async def test_full_queue_takes_all_items_of_a_request_or_none(run: Run) -> None:
    """A request that fits in part leaves nothing in the queue."""
    async with batching(run, BatchLimits(4, 1000, 2)) as batcher:
        callers = []
        for item in (1, 2):
            callers.append(asyncio.create_task(batcher.submit([item])))
            await settle()
        with pytest.raises(QueueFullError):
            await batcher.submit([3, 4])
        assert batcher.queue_size == 1
        for call in range(2):
            double(run.calls[call])
            await settle()
        await asyncio.gather(*callers)


async def test_queue_that_was_full_takes_items_again(run: Run) -> None:
    """Room comes back when a batch is taken."""
    async with batching(run, BatchLimits(4, 1000, 2)) as batcher:
        for items in ([1, 2], [3, 4]):
            caller = asyncio.create_task(batcher.submit(items))
            await settle()
            double(run.calls[-1])
            await caller
        assert run.arguments == [[1, 2], [3, 4]]


async def test_queue_size_counts_what_waits(run: Run) -> None:
    """The items of the batch that runs are no longer in the queue."""
    async with batching(run) as batcher:
        busy = asyncio.create_task(batcher.submit([1]))
        await settle()
        waiting = asyncio.create_task(batcher.submit([2, 3]))
        await settle()
        assert batcher.queue_size == 2
        busy.cancel()
        waiting.cancel()


async def test_oldest_item_that_waits_has_the_age(run: Run) -> None:
    """What runs waits no longer, and an empty queue has no age."""
    clock = ManualClock()
    async with batching(run, clock=clock) as batcher:
        callers = []
        for item in (1, 2, 3):
            callers.append(asyncio.create_task(batcher.submit([item])))
            await settle()
            clock.advance(2)
        assert batcher.oldest_seconds == 4
        for caller in callers:
            caller.cancel()
        double(run.calls[0])
        await settle()
        assert batcher.oldest_seconds == 0


async def test_batch_that_ran_is_recorded(run: Run) -> None:
    """A record says how many items and tokens ran, how long they waited and how long it took."""
    records: list[BatchRecord] = []
    clock = ManualClock()
    async with batching(run, observe=records.append, clock=clock) as batcher:
        callers = [asyncio.create_task(batcher.submit([1]))]
        await settle()
        for item in (2, 5):
            clock.advance(1)
            callers.append(asyncio.create_task(batcher.submit([item])))
            await settle()
        clock.advance(1)
        double(run.calls[0])
        await settle()
        clock.advance(0.5)
        double(run.calls[1])
        await asyncio.gather(*callers)
        await settle()
    assert records == [
        BatchRecord(1, 1, 2, queue_seconds=(0,), inference_seconds=3),
        BatchRecord(2, 7, 14, queue_seconds=(2, 1), inference_seconds=0.5),
    ]
