"""Room in a cache: who goes, when, and who stays."""

from contextlib import AsyncExitStack

from cache_callers import Load, load_at_once, use
from fakes import FakeModel, Lessee, LoadError, settle
from service.models.model_cache import ModelCache


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


async def test_loaded_bytes_are_those_of_the_loaded_models() -> None:
    """What is held is known."""

    async def load(name: str) -> FakeModel:
        return FakeModel(name, 3)

    cache = ModelCache(load, max_models=2, max_bytes=10)
    await use(cache, "a", "b")
    assert cache.loaded_bytes == 6


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
