"""The micro-batcher: order, limits, and an answer for everybody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from fakes import HeldCall, HeldCalls, ManualClock, run_in_batches, settle
from service.errors.exceptions import QueueFullError, ShuttingDownError
from service.scheduling.batch_records import BatchedResults, BatchLimits, BatchRecord
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


@pytest.fixture
def run() -> Run:
    """Return an engine that waits for the test."""
    return HeldCalls()


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


async def test_items_of_a_caller_that_left_are_skipped(run: Run) -> None:
    """Nothing is computed for nobody."""
    async with batching(run) as batcher:
        callers = [asyncio.create_task(batcher.submit([1]))]
        await settle()
        callers += [asyncio.create_task(batcher.submit([item])) for item in (2, 3)]
        await settle()
        callers[1].cancel()
        await settle()
        double(run.calls[0])
        await settle()
        assert run.arguments == [[1], [3]]


async def test_caller_that_leaves_its_batch_harms_nobody(run: Run) -> None:
    """The rest of the batch is answered, and so is the next one."""
    async with batching(run) as batcher:
        first = asyncio.create_task(batcher.submit([1]))
        await settle()
        leaving, staying = (asyncio.create_task(batcher.submit([item])) for item in (2, 3))
        await settle()
        double(run.calls[0])
        await settle()
        leaving.cancel()
        await settle()
        double(run.calls[1])
        assert await asyncio.gather(first, staying) == [[2], [6]]


async def test_caller_that_leaves_before_its_batch_starts_costs_nothing(run: Run) -> None:
    """Not even in the turn of the loop in which it came."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([1]))
        await asyncio.sleep(0)
        caller.cancel()
        await settle()
        assert run.calls == []
        assert batcher.queue_size == 0


async def test_loop_lives_on_when_every_caller_has_left(run: Run) -> None:
    """A queue of nothing but left items is emptied without a batch."""
    async with batching(run) as batcher:
        leaving = [asyncio.create_task(batcher.submit([item])) for item in (1, 2)]
        await settle()
        for caller in leaving:
            caller.cancel()
        await settle()
        double(run.calls[0])
        staying = asyncio.create_task(batcher.submit([3]))
        await settle()
        double(run.calls[-1])
        assert await staying == [6]


async def test_engine_error_reaches_every_caller_of_its_batch(run: Run) -> None:
    """Who shares a batch shares its fate."""
    async with batching(run) as batcher:
        busy = asyncio.create_task(batcher.submit([1]))
        await settle()
        callers = [asyncio.create_task(batcher.submit([item])) for item in (2, 3)]
        await settle()
        double(run.calls[0])
        await settle()
        run.calls[1].fail(EngineError())
        answers = await asyncio.gather(busy, *callers, return_exceptions=True)
        assert [type(answer) for answer in answers] == [BatchedResults, EngineError, EngineError]


async def test_loop_lives_on_after_an_engine_error(run: Run) -> None:
    """The next batch is answered."""
    async with batching(run) as batcher:
        failing = asyncio.create_task(batcher.submit([1]))
        await settle()
        run.calls[0].fail(EngineError())
        await asyncio.wait([failing])
        caller = asyncio.create_task(batcher.submit([2]))
        await settle()
        double(run.calls[1])
        assert await caller == [4]
        assert isinstance(failing.exception(), EngineError)


async def test_rest_of_a_request_is_skipped_after_its_error(run: Run) -> None:
    """What cannot be answered whole is computed no further."""
    async with batching(run, BatchLimits(1, 1000, 10)) as batcher:
        failing = asyncio.create_task(batcher.submit([1, 2, 3]))
        await settle()
        run.calls[0].fail(EngineError())
        with pytest.raises(EngineError):
            await failing
        await settle()
        assert len(run.pending) <= 1
        for call in run.pending:
            double(call)
        await settle()
        assert [3] not in run.arguments


@pytest.mark.parametrize("results", [[], [4], [4, 6, 8]])
async def test_wrong_number_of_results_reaches_every_caller(run: Run, results: list[int]) -> None:
    """An engine that miscounts may have mixed up all results, so nobody gets one."""
    async with batching(run) as batcher:
        busy = asyncio.create_task(batcher.submit([1]))
        await settle()
        callers = [asyncio.create_task(batcher.submit([item])) for item in (2, 3)]
        await settle()
        double(run.calls[0])
        await settle()
        run.calls[1].succeed(results)
        answers = await asyncio.gather(busy, *callers, return_exceptions=True)
        assert [type(answer) for answer in answers] == [BatchedResults, ValueError, ValueError]


async def test_loop_lives_on_after_a_wrong_number_of_results(run: Run) -> None:
    """The next batch is answered."""
    async with batching(run) as batcher:
        failing = asyncio.create_task(batcher.submit([1]))
        await settle()
        run.calls[0].succeed([])
        await asyncio.wait([failing])
        caller = asyncio.create_task(batcher.submit([2]))
        await settle()
        double(run.calls[1])
        assert await caller == [4]
        assert isinstance(failing.exception(), ValueError)


async def test_closing_answers_what_waits(run: Run) -> None:
    """Who is in line already is served."""
    async with batching(run) as batcher:
        callers = [asyncio.create_task(batcher.submit([1]))]
        await settle()
        callers.append(asyncio.create_task(batcher.submit([2])))
        await settle()
        closing = asyncio.create_task(batcher.close())
        await settle()
        double(run.calls[0])
        await settle()
        double(run.calls[1])
        await closing
        assert await asyncio.gather(*callers) == [[2], [4]]


async def test_closing_ends_when_everything_is_answered(run: Run) -> None:
    """Closing waits for the batch that runs."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([1]))
        await settle()
        closing = asyncio.create_task(batcher.close())
        await settle()
        assert not closing.done()
        double(run.calls[0])
        await closing
        await caller


async def test_closing_an_idle_batcher_returns(run: Run) -> None:
    """Nothing waits, so nothing is waited for."""
    async with batching(run) as batcher:
        await settle()
        await batcher.close()
        assert run.calls == []


async def test_closing_batcher_takes_nothing_new(run: Run) -> None:
    """Who comes late is told."""
    async with batching(run) as batcher:
        await batcher.close()
        with pytest.raises(ShuttingDownError):
            await batcher.submit([1])


async def test_cancelled_loop_leaves_no_caller_waiting(run: Run) -> None:
    """Neither those in the batch nor those in the queue wait for ever."""
    async with batching(run, BatchLimits(1, 1000, 10)) as batcher:
        callers = [asyncio.create_task(batcher.submit([item])) for item in (1, 2)]
        await settle()
        kill(batcher)
        answers = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(answer) for answer in answers] == [ShuttingDownError] * 2


async def test_batcher_whose_batch_was_cancelled_takes_nothing_new(run: Run) -> None:
    """A loop that goes down keeps nobody in line."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([1]))
        await settle()
        kill(batcher)
        await asyncio.wait([caller])
        with pytest.raises(ShuttingDownError):
            await batcher.submit([1])


async def test_cancelled_run_leaves_no_caller_waiting(run: Run) -> None:
    """An engine whose thread is gone answers nobody, and nobody waits for it."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([1]))
        await settle()
        run.calls[0].answer.cancel()
        with pytest.raises(ShuttingDownError):
            await caller


async def test_closing_returns_after_the_loop_was_cancelled(run: Run) -> None:
    """Whoever closes is not the one who was cancelled."""
    async with batching(run) as batcher:
        caller = asyncio.create_task(batcher.submit([1]))
        await settle()
        kill(batcher)
        await batcher.close()
        await asyncio.wait([caller])


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


async def test_batch_that_failed_is_recorded(run: Run) -> None:
    """A failure took its time like any other batch."""
    records: list[BatchRecord] = []
    async with batching(run, observe=records.append) as batcher:
        caller = asyncio.create_task(batcher.submit([3]))
        await settle()
        run.calls[0].fail(EngineError())
        await asyncio.wait([caller])
        await settle()
        assert isinstance(caller.exception(), EngineError)
    assert records == [BatchRecord(1, 3, 0, queue_seconds=(0,), inference_seconds=0)]
