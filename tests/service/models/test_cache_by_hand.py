"""Models that are loaded, reloaded, pinned and unloaded by hand."""

import asyncio

import pytest

from cache_callers import Load, load_at_once, use
from fakes import FakeModel, Lessee, LoadError, settle
from service.errors.exceptions import ShuttingDownError
from service.models.cache_records import CacheEvent, CacheRecord
from service.models.model_cache import ModelCache


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
