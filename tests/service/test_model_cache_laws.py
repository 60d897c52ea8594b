"""The law of the model cache: whatever happens in whatever order, a leased model is there."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FakeModel, HeldCall, HeldCalls, Lessee, LoadError, settle
from service.model_cache import ModelCache

Load = HeldCalls[str, FakeModel]

MAX_MODELS = 2
MAX_BYTES = 8

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("lease"), st.sampled_from("abcd")),
        st.tuples(st.sampled_from(["finish", "cancel"]), st.integers(0, 9)),
        st.tuples(st.just("succeed"), st.integers(1, MAX_BYTES)),
        st.tuples(st.sampled_from(["fail", "step", "settle"]), st.none()),
        st.tuples(st.just("close"), st.none()),
    ),
    max_size=40,
)


@dataclass
class World:
    """A cache, its callers, and every model that was ever made."""

    load: Load = field(default_factory=HeldCalls)
    callers: list[Lessee] = field(default_factory=list)
    models: list[FakeModel] = field(default_factory=list)
    closing: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Make the cache."""
        self.cache = ModelCache(self.load, max_models=MAX_MODELS, max_bytes=MAX_BYTES)

    @property
    def open_models(self) -> list[str]:
        """The names of the models in memory."""
        return [model.name for model in self.models if not model.is_closed]

    def succeed(self, call: HeldCall[str, FakeModel], nbytes: int) -> None:
        """End a load well."""
        self.models.append(FakeModel(call.argument, nbytes))
        call.succeed(self.models[-1])

    async def apply(self, name: str, argument: Any) -> None:
        """Let one thing happen; what it wakes has its first step at the next `step`."""
        if name == "lease":
            self.callers.append(Lessee(self.cache, argument))
        elif name == "finish" and argument < len(self.callers):
            self.callers[argument].finish()
        elif name == "cancel" and argument < len(self.callers):
            self.callers[argument].task.cancel()
        elif name == "close" and not self.closing:
            self.closing = asyncio.create_task(self.cache.close())
        elif name == "settle":
            await settle()
        elif name == "succeed" and self.load.pending and not self.closing:
            self.succeed(self.load.pending[0], argument)
        elif name == "fail" and self.load.pending:
            self.load.pending[0].fail(LoadError())
        elif name == "step":
            await asyncio.sleep(0)

    def check(self) -> None:
        """Hold what must hold at any moment."""
        assert len(self.load.pending) <= 1, "two loads run at once"
        assert len(set(self.open_models)) == len(self.open_models), "two models of a name"
        for caller in self.callers:
            assert not caller.model or not caller.model.is_closed, "a leased model is closed"

    async def rest(self) -> None:
        """Let every caller finish and every load end."""
        for caller in self.callers:
            caller.finish()
        await settle()
        while self.load.pending:
            self.succeed(self.load.pending[0], 1)
            await settle()
            self.check()


async def play(operations: list[tuple[str, Any]]) -> World:
    """Drive a cache through operations until nobody uses it any more."""
    world = World()
    for operation in operations:
        await world.apply(*operation)
        world.check()
    await world.rest()
    world.check()
    assert all(caller.task.done() for caller in world.callers), "a caller waits for ever"
    assert not world.closing or world.closing.done(), "closing waits for ever"
    return world


any_history = settings(deadline=None, max_examples=200)


@any_history
@given(OPERATIONS)
def test_idle_cache_is_within_its_limits(operations: list[tuple[str, Any]]) -> None:
    """No lease is lost, no used model closed, none held twice, and the limits hold in the end."""
    world = asyncio.run(play(operations))
    ready = world.cache.ready()
    assert len(ready) <= MAX_MODELS
    assert sum(model.nbytes for model in ready.values()) <= MAX_BYTES


@any_history
@given(OPERATIONS)
def test_open_models_are_those_the_cache_knows(operations: list[tuple[str, Any]]) -> None:
    """Every model that is out of the cache is closed, and none that is in it."""
    world = asyncio.run(play(operations))
    assert sorted(world.open_models) == sorted(world.cache.ready())


@any_history
@given(OPERATIONS)
def test_closed_cache_leaves_no_model_open(operations: list[tuple[str, Any]]) -> None:
    """Closing finds them all, whatever was before."""
    world = asyncio.run(play([*operations, ("close", None)]))
    assert world.open_models == []
