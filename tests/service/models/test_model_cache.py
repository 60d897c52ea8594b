"""The model cache: leases, single-flight loads, and which model goes."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from fakes import FakeModel, HeldCalls, Lessee, LoadError, ManualClock, settle
from service.errors.exceptions import ShuttingDownError
from service.models.cache_records import CacheEvent, CacheRecord
from service.models.model_cache import ModelCache

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

    models = {name: FakeModel(name, 5) for name in "ab"}

    async def load(name: str) -> FakeModel:
        clock.advance(2)
        return models[name]

    cache = ModelCache(load, max_models=1, max_bytes=10, observe=records.append, clock=clock)
    await use(cache, "a", "a", "b")
    assert records == [
        CacheRecord(CacheEvent.MISS, "a", 0),
        CacheRecord(CacheEvent.LOAD, "a", 5, seconds=2, model=models["a"]),
        CacheRecord(CacheEvent.HIT, "a", 5),
        CacheRecord(CacheEvent.MISS, "b", 5),
        CacheRecord(CacheEvent.LOAD, "b", 10, seconds=2, model=models["b"]),
        CacheRecord(CacheEvent.EVICTION, "a", 5, reason="room for b"),
    ]


async def test_failed_load_is_recorded() -> None:
    """Whatever failed, once a try."""
    records: list[CacheRecord] = []

    async def load(_: str) -> FakeModel:
        raise LoadError

    cache = ModelCache(load, max_models=1, max_bytes=10, observe=records.append)
    for _ in range(2):
        with pytest.raises(LoadError):
            await use(cache, "a")
    assert [record.event for record in records] == [CacheEvent.MISS, CacheEvent.FAILURE] * 2


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


async def test_load_waits_for_the_model_and_lends_nothing(load: Load) -> None:
    """Whoever loads for later keeps nobody from evicting."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    loading = asyncio.create_task(cache.load("a"))
    await settle()
    assert not loading.done()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await loading
    await cache.unload("a")
    assert model.is_closed


async def test_load_goes_on_when_its_caller_has_left(load: Load) -> None:
    """A caller's patience is not that of the load."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    loading = asyncio.create_task(cache.load("a"))
    await settle()
    loading.cancel()
    await settle()
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    assert list(cache.ready()) == ["a"]


async def test_loaded_model_is_not_loaded_again() -> None:
    """Unless somebody says so."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.load("a")
    before = cache.ready()
    await cache.load("a")
    assert cache.ready() == before


async def test_pinned_model_makes_no_room() -> None:
    """Though it is the least recently used, and nobody uses it."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    await cache.load("a", pin=True)
    await use(cache, "b", "c")
    assert list(cache.ready()) == ["a", "c"]


async def test_pin_is_undone() -> None:
    """Then it goes like any other."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    await cache.load("a", pin=True)
    await cache.load("a", pin=False)
    await use(cache, "b", "c")
    assert list(cache.ready()) == ["b", "c"]


async def test_load_that_says_nothing_of_a_pin_leaves_it() -> None:
    """Requests undo no pin."""
    cache = ModelCache(load_at_once, max_models=2, max_bytes=10)
    await cache.load("a", pin=True)
    await cache.load("a")
    await use(cache, "a")
    assert cache.pinned() == {"a"}


async def test_model_is_loaded_beside_pinned_ones() -> None:
    """A cache full of pinned models still serves another, one at a time."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.load("a", pin=True)
    await use(cache, "b", "c")
    assert list(cache.ready()) == ["a", "c"]


async def test_configured_models_are_pinned_whenever_they_are_loaded() -> None:
    """Also after somebody gave them up."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10, pinned=["a"])
    await use(cache, "a", "b")
    assert cache.pinned() == {"a"}
    await cache.unload("a")
    assert cache.pinned() == set()
    await use(cache, "a")
    assert cache.pinned() == {"a"}


async def test_failed_load_leaves_no_pin(load: Load) -> None:
    """A pin is a model's."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    loading = asyncio.create_task(cache.load("a", pin=True))
    await settle()
    load.calls[0].fail(LoadError())
    with pytest.raises(LoadError):
        await loading
    assert cache.pinned() == set()


async def test_reload_is_served_by_the_old_model_until_the_new_one_is_there(
    load: Load, callers: list[Lessee]
) -> None:
    """And the old one is closed when its last lease comes back."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    old, new = FakeModel("a"), FakeModel("a")
    callers.append(Lessee(cache, "a"))
    await settle()
    load.calls[0].succeed(old)
    reloading = asyncio.create_task(cache.load("a", reload=True))
    await settle()
    callers.append(Lessee(cache, "a"))
    await settle()
    load.calls[1].succeed(new)
    await reloading
    callers.append(Lessee(cache, "a"))
    await settle()
    assert [caller.model for caller in callers] == [old, old, new]
    assert not old.is_closed
    for caller in callers:
        caller.finish()
    await settle()
    assert (old.is_closed, new.is_closed) == (True, False)


async def test_failed_reload_keeps_the_old_model(load: Load, callers: list[Lessee]) -> None:
    """Its error is told, and remembered."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    old = FakeModel("a")
    load.calls[0].succeed(old)
    await settle()
    reloading = asyncio.create_task(cache.load("a", reload=True, pin=True))
    await settle()
    load.calls[1].fail(LoadError())
    with pytest.raises(LoadError):
        await reloading
    assert (cache.ready(), cache.pinned()) == ({"a": old}, set())
    assert list(cache.failures()) == ["a"]


async def test_reload_keeps_the_pin() -> None:
    """And the place in the order of use."""
    cache = ModelCache(load_at_once, max_models=3, max_bytes=10)
    await cache.load("a", pin=True)
    await cache.load("b")
    await cache.load("a", reload=True)
    assert (list(cache.ready()), cache.pinned()) == (["a", "b"], {"a"})


async def test_reload_of_what_is_not_loaded_loads_it() -> None:
    """There is nothing to replace."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.load("a", reload=True)
    assert list(cache.ready()) == ["a"]


async def test_reload_reads_files_after_a_load_that_had_begun(load: Load) -> None:
    """That load may have read the old ones already."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    models = [FakeModel("a"), FakeModel("a")]
    tasks = [asyncio.create_task(cache.load("a"))]
    await settle()
    tasks.append(asyncio.create_task(cache.load("a", reload=True)))
    await settle()
    for number, model in enumerate(models):
        load.calls[number].succeed(model)
        await settle()
    await asyncio.gather(*tasks)
    assert cache.ready() == {"a": models[1]}
    assert models[0].is_closed


async def test_reloads_that_wait_in_line_are_one(load: Load) -> None:
    """None of them has read a file yet."""
    cache = ModelCache(load, max_models=2, max_bytes=10)
    tasks = [asyncio.create_task(cache.load("b"))]
    await settle()
    tasks += [asyncio.create_task(cache.load("a", reload=True)) for _ in range(3)]
    await settle()
    load.calls[0].succeed(FakeModel("b"))
    await settle()
    load.calls[1].succeed(FakeModel("a"))
    await asyncio.gather(*tasks)
    assert load.arguments == ["b", "a"]


async def test_unloaded_model_is_out_of_sight_at_once(load: Load, callers: list[Lessee]) -> None:
    """It is closed when its last lease comes back, and only then is the call answered."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    unloading = asyncio.create_task(cache.unload("a"))
    await settle()
    before = (unloading.done(), "a" in cache, model.is_closed)
    callers[0].finish()
    await unloading
    assert (before, model.is_closed) == ((False, False, False), True)


async def test_unload_goes_on_when_its_caller_has_left(load: Load, callers: list[Lessee]) -> None:
    """Nobody must stay for a model to be closed."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    unloading = asyncio.create_task(cache.unload("a"))
    await settle()
    unloading.cancel()
    callers[0].finish()
    await settle()
    assert model.is_closed


async def test_unload_waits_for_a_load_under_way(load: Load, callers: list[Lessee]) -> None:
    """Whoever waits for the load gets its model."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    unloading = asyncio.create_task(cache.unload("a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    assert (callers[0].model, "a" in cache) == (model, False)
    callers[0].finish()
    await unloading
    assert model.is_closed


async def test_unload_of_what_is_not_loaded_does_nothing() -> None:
    """Neither does it load it."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.unload("a")
    assert "a" not in cache


async def test_unload_takes_a_pinned_model_and_its_pin() -> None:
    """An operator asked for it."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.load("a", pin=True)
    await cache.unload("a")
    await cache.load("a")
    assert cache.pinned() == set()


async def test_unload_forgets_why_a_reload_failed(load: Load) -> None:
    """Nothing is known against the files that the next load reads."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    tasks = [asyncio.create_task(cache.load("a"))]
    await settle()
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    tasks.append(asyncio.create_task(cache.load("a", reload=True)))
    await settle()
    load.calls[1].fail(LoadError())
    await asyncio.gather(*tasks, return_exceptions=True)
    await cache.unload("a")
    assert cache.failures() == {}


async def test_load_waits_until_what_was_unloaded_is_out_of_memory(
    load: Load, callers: list[Lessee]
) -> None:
    """Else unloading and loading in turn would fill the memory."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    load.calls[0].succeed(FakeModel("a"))
    await settle()
    tasks = [asyncio.create_task(cache.unload("a")), asyncio.create_task(cache.load("b"))]
    await settle()
    held_back = load.arguments
    callers[0].finish()
    await settle()
    assert (held_back, load.arguments) == (["a"], ["a", "b"])
    load.calls[1].succeed(FakeModel("b"))
    await asyncio.gather(*tasks)


async def test_unload_is_no_eviction() -> None:
    """Evictions say that models do not fit together."""
    records: list[CacheRecord] = []
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10, observe=records.append)
    await cache.load("a")
    await cache.unload("a")
    assert records[-1] == CacheRecord(CacheEvent.UNLOAD, "a", 0)


async def test_closed_cache_loads_and_unloads_nothing() -> None:
    """Who comes late is told."""
    cache = ModelCache(load_at_once, max_models=1, max_bytes=10)
    await cache.close()
    for late in (cache.load("a"), cache.load("a", reload=True), cache.unload("a")):
        with pytest.raises(ShuttingDownError):
            await late


async def test_closing_waits_for_an_unload_under_way(load: Load, callers: list[Lessee]) -> None:
    """A model that is out of sight already is closed all the same."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    model = FakeModel("a")
    load.calls[0].succeed(model)
    await settle()
    unloading = asyncio.create_task(cache.unload("a"))
    await settle()
    closing = asyncio.create_task(cache.close())
    await settle()
    assert not closing.done()
    callers[0].finish()
    await asyncio.gather(unloading, closing)
    assert model.is_closed
