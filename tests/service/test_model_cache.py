"""The model cache: leases, single-flight loads, and which model goes."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from fakes import FakeModel, HeldCalls, Lessee, LoadError, ManualClock, settle
from service.errors import ShuttingDownError
from service.model_cache import CacheEvent, CacheRecord, ModelCache

Load = HeldCalls[str, FakeModel]


@pytest.fixture
def load() -> Load:
    """Return a loader that waits for the test."""
    return HeldCalls()


async def load_at_once(name: str) -> FakeModel:
    """Load a model of one byte."""
    return FakeModel(name)


async def use(cache: ModelCache[FakeModel], *names: str) -> None:
    """Lease models, one after the other, and give each back."""
    for name in names:
        async with cache.lease(name):
            pass
        await settle()


@pytest.fixture
async def callers() -> AsyncIterator[list[Lessee]]:
    """Return a list of callers; they leave at the end."""
    callers: list[Lessee] = []
    yield callers
    for caller in callers:
        caller.task.cancel()
    await asyncio.gather(*(caller.task for caller in callers), return_exceptions=True)


async def test_first_lease_loads() -> None:
    """A model that is not here is loaded for whoever asks."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    async with cache.lease("a") as model:
        assert model.name == "a"


async def test_second_lease_finds_the_model_loaded() -> None:
    """A model stays for the next caller."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    async with cache.lease("a") as first, cache.lease("a") as second:
        assert first is second


async def test_two_hundred_first_leases_load_once(load: Load, callers: list[Lessee]) -> None:
    """Whoever comes during a load waits for that load."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers += [Lessee(cache, "a") for _ in range(200)]
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    assert load.arguments == ["a"]
    assert all(caller.model is model for caller in callers)


async def test_error_of_a_load_reaches_everybody_who_waits(
    load: Load, callers: list[Lessee]
) -> None:
    """A load has one outcome."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers += [Lessee(cache, "a") for _ in range(3)]
    await settle()
    load.calls[0].fail(LoadError())
    await settle()
    assert [type(caller.error) for caller in callers] == [LoadError] * 3


async def test_failed_load_is_retried_by_the_next_caller(load: Load, callers: list[Lessee]) -> None:
    """An error is not kept: files may have been mended."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    load.calls[0].fail(LoadError())
    await settle()
    callers.append(Lessee(cache, "a"))
    await settle()
    load.calls[1].succeed(FakeModel("a"))
    await settle()
    assert callers[1].model


async def test_failed_load_evicts_nobody(load: Load, callers: list[Lessee]) -> None:
    """Room is made only for what has been loaded."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    callers[0].finish()
    callers.append(Lessee(cache, "broken"))
    await settle()
    load.calls[1].fail(LoadError())
    await settle()
    assert cache.ready() == {"a": model}
    assert not model.is_closed


async def test_failure_is_remembered_for_whoever_asks(load: Load, callers: list[Lessee]) -> None:
    """A list of presets can say what went wrong."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    error = LoadError()
    load.calls[0].fail(error)
    await settle()
    assert cache.failures() == {"a": error}


async def test_failure_is_forgotten_when_a_load_succeeds(load: Load, callers: list[Lessee]) -> None:
    """What has been mended is no failure any more."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    for number in range(2):
        callers.append(Lessee(cache, "a"))
        await settle()
        if number:
            load.calls[number].succeed(FakeModel("a"))
        else:
            load.calls[number].fail(LoadError())
        await settle()
    assert cache.failures() == {}


async def test_cancelled_waiter_does_not_cancel_the_load_of_the_others(
    load: Load, callers: list[Lessee]
) -> None:
    """A load belongs to all who wait for it."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers += [Lessee(cache, "a") for _ in range(2)]
    await settle()
    callers[0].task.cancel()
    await settle()
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    assert callers[1].model


async def test_load_goes_on_when_every_waiter_has_left(load: Load, callers: list[Lessee]) -> None:
    """What was begun for somebody is there for the next one."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    callers[0].task.cancel()
    await settle()
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    assert list(cache.ready()) == ["a"]


async def test_load_that_fails_when_every_waiter_has_left_is_known(
    load: Load, callers: list[Lessee]
) -> None:
    """An error that nobody waits for is no surprise to the event loop."""
    surprises: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: surprises.append(context))
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    callers[0].task.cancel()
    await settle()
    load.calls[0].fail(LoadError())
    await settle()
    callers.clear()
    # These remember the error, whose traceback remembers everything.
    load.calls.clear()
    del cache
    gc.collect()
    assert surprises == []


async def test_least_recently_used_model_is_evicted() -> None:
    """Who was not asked for longest goes first."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    await use(cache, "a", "b", "a", "c")
    assert list(cache.ready()) == ["a", "c"]


async def test_evicted_model_is_closed() -> None:
    """Its memory is given back."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    async with cache.lease("a") as model:
        pass
    await use(cache, "b")
    assert model.is_closed


async def test_idle_model_is_evicted_before_one_in_use() -> None:
    """A model in use stays, even if it is the least recently asked for."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    async with cache.lease("a"):
        await use(cache, "b", "c")
        assert list(cache.ready()) == ["a", "c"]


async def test_model_in_use_is_closed_only_after_its_last_lease() -> None:
    """Whoever uses a model has it to the end."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    closed = []
    async with AsyncExitStack() as outer:
        model = await outer.enter_async_context(cache.lease("a"))
        async with cache.lease("a"):
            await use(cache, "b")
            closed.append(model.is_closed)
        await settle()
        closed.append(model.is_closed)
    await settle()
    closed.append(model.is_closed)
    assert closed == [False, False, True]


async def test_evicted_model_in_use_is_lent_no_more(load: Load, callers: list[Lessee]) -> None:
    """A steady stream of callers cannot keep an evicted model for ever."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    for number, name in enumerate("ab"):
        callers.append(Lessee(cache, name))
        await settle()
        load.calls[number].succeed(FakeModel(name))
        await settle()
    assert "a" not in cache


async def test_evicted_model_is_loaded_again_only_after_it_is_closed(
    load: Load, callers: list[Lessee]
) -> None:
    """Two models of a name are never in memory."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    for number, name in enumerate("ab"):
        callers.append(Lessee(cache, name))
        await settle()
        load.calls[number].succeed(FakeModel(name))
        await settle()
    callers.append(Lessee(cache, "a"))
    await settle()
    held_back = load.arguments
    callers[0].finish()
    await settle()
    assert (held_back, load.arguments) == (["a", "b"], ["a", "b", "a"])


async def test_as_many_models_go_as_their_bytes_demand() -> None:
    """A large model takes the place of several."""
    sizes = {"a": 4, "b": 4, "c": 2, "large": 7}

    async def load(name: str) -> FakeModel:
        return FakeModel(name, sizes[name])

    cache = ModelCache(load, max_models=9, max_bytes=10)
    await use(cache, "a", "b", "c", "large")
    assert list(cache.ready()) == ["c", "large"]


async def test_model_that_was_just_loaded_is_not_evicted_for_itself() -> None:
    """A model above the limit is of use to its caller at least."""

    async def load(name: str) -> FakeModel:
        return FakeModel(name, 99)

    cache = ModelCache(load, max_models=2, max_bytes=10)
    await use(cache, "a")
    assert list(cache.ready()) == ["a"]


async def test_loads_run_one_at_a_time(load: Load, callers: list[Lessee]) -> None:
    """Memory exceeds its limit by one model at most."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers += [Lessee(cache, name) for name in "ab"]
    await settle()
    before = load.arguments
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    assert (before, load.arguments) == (["a"], ["a", "b"])


async def test_failed_load_lets_the_next_one_begin(load: Load, callers: list[Lessee]) -> None:
    """A broken model is in nobody's way."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers += [Lessee(cache, name) for name in "ab"]
    await settle()
    load.calls[0].fail(LoadError())
    await settle()
    assert load.arguments == ["a", "b"]


async def test_error_of_a_caller_gives_its_lease_back() -> None:
    """Whoever fails with a model no longer uses it."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    with pytest.raises(LoadError):
        async with cache.lease("a") as model:
            raise LoadError
    await use(cache, "b")
    assert model.is_closed


async def test_error_in_closing_a_model_does_not_reach_the_caller_of_another() -> None:
    """An eviction that fails is not the fault of whoever needed the room."""

    class Stubborn(FakeModel):
        async def close(self) -> None:
            raise LoadError

    async def load(name: str) -> FakeModel:
        return Stubborn(name)

    cache = ModelCache(load, max_models=1, max_bytes=10)
    await use(cache, "a")
    async with cache.lease("b") as model:
        await settle()
        assert model.name == "b"
    await asyncio.gather(*(e.loader for e in cache._entries.values()), return_exceptions=True)


async def test_model_being_loaded_is_in_the_cache_but_not_ready(
    load: Load, callers: list[Lessee]
) -> None:
    """A list of presets can tell loading from ready."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    assert "a" in cache
    assert cache.ready() == {}


async def test_loaded_bytes_are_those_of_the_loaded_models() -> None:
    """What is held is known."""

    async def load(name: str) -> FakeModel:
        return FakeModel(name, 3)

    cache = ModelCache(load, max_models=2, max_bytes=10)
    await use(cache, "a", "b")
    assert cache.loaded_bytes == 6


async def test_closed_cache_lends_nothing() -> None:
    """Who comes late is told."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.close()
    with pytest.raises(ShuttingDownError):
        await use(cache, "a")


async def test_closing_closes_every_model() -> None:
    """No memory is left behind."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    async with cache.lease("a") as a, cache.lease("b") as b:
        pass
    await cache.close()
    assert (a.is_closed, b.is_closed) == (True, True)


async def test_closing_waits_for_the_leases_out(load: Load, callers: list[Lessee]) -> None:
    """Whoever uses a model has it to the end."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    closing = asyncio.create_task(cache.close())
    await settle()
    before = (closing.done(), model.is_closed)
    callers[0].finish()
    await closing
    assert (before, model.is_closed) == ((False, False), True)


async def test_closing_ends_the_loads_and_tells_who_waits(
    load: Load, callers: list[Lessee]
) -> None:
    """Neither the load that runs nor the one that waits for it is waited for."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers += [Lessee(cache, name) for name in "ab"]
    await settle()
    await cache.close()
    await settle()
    assert [type(caller.error) for caller in callers] == [ShuttingDownError] * 2


async def test_closing_ends_a_load_that_has_not_begun(load: Load, callers: list[Lessee]) -> None:
    """Who asked in the very moment of closing is told, and nobody waits for ever."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers.append(Lessee(cache, "a"))  # asks in its first step, before the first of its load
    closing = asyncio.create_task(cache.close())
    await settle()
    assert (closing.done(), callers[0].task.done()) == (True, True)
    assert isinstance(callers[0].error, ShuttingDownError)


async def test_ended_load_is_no_failure_of_its_model(load: Load, callers: list[Lessee]) -> None:
    """Nothing is wrong with a preset whose load was given up."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    await cache.close()
    assert cache.failures() == {}


async def test_closing_waits_for_an_eviction_under_way(load: Load, callers: list[Lessee]) -> None:
    """A model that is out of sight already is closed all the same."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    models = [FakeModel("a"), FakeModel("b")]
    for number, model in enumerate(models):
        callers.append(Lessee(cache, model.name))
        await settle()
        load.calls[number].succeed(model)
        await settle()
    closing = asyncio.create_task(cache.close())
    await settle()
    assert not closing.done()
    for caller in callers:
        caller.finish()
    await closing
    assert all(model.is_closed for model in models)


async def test_events_are_recorded_in_order() -> None:
    """A record says what happened to which model, and what is held after it."""
    records: list[CacheRecord] = []
    clock = ManualClock()

    async def load(name: str) -> FakeModel:
        clock.advance(2)
        return FakeModel(name, 5)

    cache = ModelCache(load, max_models=1, max_bytes=10, observe=records.append, clock=clock)
    await use(cache, "a", "a", "b")
    assert records == [
        CacheRecord(CacheEvent.MISS, "a", 0),
        CacheRecord(CacheEvent.LOAD, "a", 5, seconds=2),
        CacheRecord(CacheEvent.HIT, "a", 5),
        CacheRecord(CacheEvent.MISS, "b", 5),
        CacheRecord(CacheEvent.LOAD, "b", 10, seconds=2),
        CacheRecord(CacheEvent.EVICTION, "a", 5),
    ]


async def test_discarded_model_is_closed_and_loaded_anew() -> None:
    """Whoever knows that a model is of no use any more takes it out of sight."""
    models = iter([FakeModel(), FakeModel()])

    async def load(_: str) -> FakeModel:
        return next(models)

    cache: ModelCache[FakeModel] = ModelCache(load, max_models=2, max_bytes=10)
    async with cache.lease("a") as first:
        pass
    await cache.discard("a", first)
    assert first.is_closed
    async with cache.lease("a") as second:
        await cache.discard("a", first)  # another one is in its place, and stays
    assert cache.ready() == {"a": second}
    await cache.close()
