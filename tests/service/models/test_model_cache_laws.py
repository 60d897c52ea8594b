"""The law of the model cache: whatever happens in whatever order, a leased model is there."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FakeModel, HeldCall, HeldCalls, Lessee, LoadError, settle
from service.errors.exceptions import ShuttingDownError
from service.models.model_cache import ModelCache

Load = HeldCalls[str, FakeModel]

MAX_MODELS = 2
MAX_BYTES = 8

NAMES = st.sampled_from("abcd")
OPERATION = st.one_of(
    st.tuples(st.sampled_from(["lease", "load", "reload", "unload"]), NAMES),
    st.tuples(st.sampled_from(["finish", "cancel", "leave"]), st.integers(0, 9)),
    st.tuples(st.just("succeed"), st.integers(1, MAX_BYTES)),
    st.tuples(st.sampled_from(["fail", "step", "settle"]), st.none()),
    st.tuples(st.just("close"), st.none()),
)
OPERATIONS = st.lists(OPERATION, max_size=40)
PINNINGS = st.tuples(st.sampled_from(["pin", "unpin", "reload_and_pin"]), NAMES)
WITH_PINS = st.lists(OPERATION | PINNINGS, max_size=40)


@dataclass
class World:
    """A cache, its callers, and every model that was ever made.

    Attributes:
        operators: who loads and unloads.
        kept: the names of models that were seen pinned, and that nobody ever gave up.
        released: the names that somebody gave up.
    """

    load: Load = field(default_factory=HeldCalls)
    callers: list[Lessee] = field(default_factory=list)
    models: list[FakeModel] = field(default_factory=list)
    operators: list[asyncio.Task[None]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
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

    def operate(self, work: Callable[..., Awaitable[None]], *args: Any, **options: Any) -> None:
        """Let an operator do something to the cache."""

        async def run() -> None:
            with suppress(LoadError, ShuttingDownError):
                await work(*args, **options)

        self.operators.append(asyncio.create_task(run()))

    def release(self, model: str) -> None:
        """Expect no more that a model stays."""
        self.kept.discard(model)
        self.released.add(model)

    def ask(self, name: str, model: str) -> None:
        """Let a caller lease a model, or an operator load or unload one."""
        match name:
            case "lease":
                self.callers.append(Lessee(self.cache, model))
            case "load":
                self.operate(self.cache.load, model)
            case "reload":
                self.operate(self.cache.load, model, reload=True)
            case "reload_and_pin":
                self.operate(self.cache.load, model, reload=True, pin=True)
            case "pin":
                self.operate(self.cache.load, model, pin=True)
            case "unpin":
                self.release(model)
                self.operate(self.cache.load, model, pin=False)
            case "unload":
                self.release(model)
                self.operate(self.cache.unload, model)

    async def apply(self, name: str, argument: Any) -> None:
        """Let one thing happen; what it wakes has its first step at the next `step`."""
        if isinstance(argument, str):
            self.ask(name, argument)
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
        elif name == "leave" and argument < len(self.operators):
            self.operators[argument].cancel()

    def check(self) -> None:
        """Hold what must hold at any moment."""
        assert len(self.load.pending) <= 1, "two loads run at once"
        copies = Counter(self.open_models)
        assert max(copies.values(), default=0) <= 2, "more than one model beside its successor"
        for caller in self.callers:
            assert not caller.model or not caller.model.is_closed, "a leased model is closed"
        if not self.closing:
            assert self.kept <= self.cache.ready().keys(), "a pinned model has made room"
            self.kept |= self.cache.pinned() & self.cache.ready().keys() - self.released

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
    assert all(operator.done() for operator in world.operators), "an operator waits for ever"
    assert not world.closing or world.closing.done(), "closing waits for ever"
    return world


any_history = settings(deadline=None, max_examples=200)


@any_history
@given(OPERATIONS)
def test_idle_cache_is_within_its_limits(operations: list[tuple[str, Any]]) -> None:
    """No lease is lost, no used model closed, and the limits hold in the end."""
    world = asyncio.run(play(operations))
    ready = world.cache.ready()
    assert len(ready) <= MAX_MODELS
    assert sum(model.nbytes for model in ready.values()) <= MAX_BYTES


@any_history
@given(OPERATIONS)
def test_memory_exceeds_its_limit_by_one_model_at_most(operations: list[tuple[str, Any]]) -> None:
    """At any moment, models count that are out of sight and still used."""

    async def watch() -> None:
        world = World()
        for operation in operations:
            await world.apply(*operation)
            assert len(world.open_models) <= MAX_MODELS + 1
        await world.rest()

    asyncio.run(watch())


@any_history
@given(WITH_PINS)
def test_open_models_are_those_the_cache_knows(operations: list[tuple[str, Any]]) -> None:
    """Every model that is out of the cache is closed, and none that is in it."""
    world = asyncio.run(play(operations))
    assert sorted(world.open_models) == sorted(world.cache.ready())


@any_history
@given(WITH_PINS)
def test_pinned_models_alone_exceed_the_limits(operations: list[tuple[str, Any]]) -> None:
    """Beside them is what was loaded last, and nothing else once room has been made."""
    world = asyncio.run(play([*operations, ("settle", None), ("lease", "e")]))
    others = world.cache.ready().keys() - world.cache.pinned()
    if not world.closing and len(world.cache.ready()) > MAX_MODELS:
        assert others == {"e"}


@any_history
@given(WITH_PINS)
def test_closed_cache_leaves_no_model_open(operations: list[tuple[str, Any]]) -> None:
    """Closing finds them all, whatever was before."""
    world = asyncio.run(play([*operations, ("close", None)]))
    assert world.open_models == []
