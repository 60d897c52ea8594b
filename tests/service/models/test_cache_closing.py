"""The end of a cache: who is waited for, and who is told."""

import asyncio

import pytest

from cache_callers import Load, load_at_once, use
from fakes import FakeModel, Lessee, LoadError, settle
from service.errors.exceptions import ShuttingDownError
from service.models.model_cache import ModelCache


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
