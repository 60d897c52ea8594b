"""Leases and loads of a cache: one load for all who wait, and an answer for everybody."""

import asyncio
import gc

import pytest

from cache_callers import Load, load_at_once, use
from fakes import FakeModel, Lessee, LoadError, ManualClock, settle
from service.models.cache_records import CacheEvent, CacheRecord
from service.models.model_cache import ModelCache


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


async def test_model_being_loaded_is_in_the_cache_but_not_ready(
    load: Load, callers: list[Lessee]
) -> None:
    """A list of presets can tell loading from ready."""
    cache = ModelCache(load, max_models=1, max_bytes=10)
    callers.append(Lessee(cache, "a"))
    await settle()
    assert "a" in cache
    assert cache.ready() == {}


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
