"""What goes wrong or ends: callers who leave, engines that fail, closing."""

import asyncio

import pytest

from batcher_runs import EngineError, Run, batching, double, kill
from fakes import settle
from service.errors.exceptions import ShuttingDownError
from service.scheduling.batch_records import BatchedResults, BatchLimits, BatchRecord


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
