"""Loaded models: an LRU cache with leases, single-flight loads, and limits on count and bytes.

Whoever uses a model holds a lease, from before it is loaded until its answer is made. A model is
closed only when nobody holds one. Loads run one at a time, and room is made after a load has
succeeded: a failed load costs nobody their model, and memory exceeds its limit by one model at
most, while that one is being loaded.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from service.errors import ShuttingDownError


class Cacheable(Protocol):
    """What a cache can hold."""

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        ...

    async def close(self) -> None:
        """Give the memory back; nobody uses it any more."""
        ...


Model = TypeVar("Model", bound=Cacheable)


class CacheEvent(StrEnum):
    """What happened in a cache."""

    HIT = "hit"
    MISS = "miss"
    EVICTION = "eviction"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One event; `seconds` is how long a load took, `loaded_bytes` what is held after it."""

    event: CacheEvent
    name: str
    loaded_bytes: int
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class _Entry(Generic[Model]):
    loaded: asyncio.Future[Model]
    loader: asyncio.Task[None] | None = None
    leases: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_ready(self) -> bool:
        return self.loaded.done() and not self.loaded.exception()


class ModelCache(Generic[Model]):
    """Models by name. Belongs to one event loop."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[Model]],
        *,
        max_models: int,
        max_bytes: int,
        observe: Callable[[CacheRecord], None] = lambda _: None,
        clock: Callable[[], float] = perf_counter,
        prepare: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """Create an empty cache.

        Args:
            load: makes the model of a name; never called twice at once.
            max_models: how many to keep.
            max_bytes: how much memory they may take together.
            observe: called after every event.
            clock: seconds, monotonic.
            prepare: called before each load, outside the line that loads stand in.
        """
        self._load_model = load
        self._max_models = max_models
        self._max_bytes = max_bytes
        self._observe = observe
        self._clock = clock
        self._prepare = prepare
        self._entries: OrderedDict[str, _Entry[Model]] = OrderedDict()
        self._failures: dict[str, Exception] = {}
        self._load_slot = asyncio.Lock()
        self._closing = False

    def __contains__(self, name: str) -> bool:
        """Say whether a model is loaded or being loaded."""
        return name in self._entries

    def ready(self) -> dict[str, Model]:
        """Return the loaded models by name, the least recently used first."""
        return {name: e.loaded.result() for name, e in self._entries.items() if e.is_ready}

    def failures(self) -> dict[str, Exception]:
        """Return why the last load of a name failed, for every name whose did."""
        return dict(self._failures)

    @property
    def loaded_bytes(self) -> int:
        """The memory of the loaded models."""
        return sum(model.nbytes for model in self.ready().values())

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[Model]:
        """Lend a model, loading it first where it is not here.

        Raises:
            ShuttingDownError: the cache is closing.
            Exception: whatever the load raised; the next caller tries again.
        """
        entry = self._find_or_load(name)
        entry.leases += 1
        entry.idle.clear()
        try:
            yield await asyncio.shield(entry.loaded)
        finally:
            entry.leases -= 1
            if not entry.leases:
                entry.idle.set()

    async def discard(self, name: str, model: Model) -> None:
        """Evict a model, unless another one of its name has come in its place."""
        if self.ready().get(name) is model:
            await self._evict(name)

    async def close(self) -> None:
        """Lend nothing more, wait for the leases out, and close every model."""
        self._closing = True
        loaders = [entry.loader for entry in self._entries.values() if entry.loader]
        for entry in self._entries.values():
            if entry.loader and not entry.is_ready:
                entry.loader.cancel()
        await asyncio.gather(*loaders, return_exceptions=True)
        for name, entry in list(self._entries.items()):
            if not entry.loaded.done():  # its load was cancelled before its first step
                self._fail(name, entry, asyncio.CancelledError())
        for name in list(self._entries):
            await self._evict(name)

    def _find_or_load(self, name: str) -> _Entry[Model]:
        if self._closing:
            raise ShuttingDownError
        entry = self._entries.get(name)
        if entry is not None:
            self._entries.move_to_end(name)
            self._record(CacheEvent.HIT, name)
            return entry
        entry = self._entries[name] = _Entry(asyncio.get_running_loop().create_future())
        self._record(CacheEvent.MISS, name)
        entry.loader = asyncio.create_task(self._load(name, entry), name=f"load {name}")
        return entry

    async def _load(self, name: str, entry: _Entry[Model]) -> None:
        try:
            if self._prepare is not None:
                await self._prepare(name)
            async with self._load_slot:
                started = self._clock()
                model = await self._load_model(name)
                entry.loaded.set_result(model)
                self._failures.pop(name, None)
                self._record(CacheEvent.LOAD, name, self._clock() - started)
                await self._make_room(name)
        except BaseException as error:
            if entry.loaded.done():
                raise
            self._fail(name, entry, error)
            if not isinstance(error, Exception):
                raise

    def _fail(self, name: str, entry: _Entry[Model], error: BaseException) -> None:
        """Forget a load, so that the next caller tries again, and tell those who wait for it."""
        del self._entries[name]
        if isinstance(error, Exception):
            self._failures[name] = error
            entry.loaded.set_exception(error)
        else:
            entry.loaded.set_exception(ShuttingDownError())
        entry.loaded.exception()  # seen, even if every caller has left meanwhile

    async def _make_room(self, newest: str) -> None:
        """Evict until the limits hold: idle models before used ones, then the longest unused."""
        while self._exceeds_limits():
            others = [n for n, e in self._entries.items() if e.is_ready and n != newest]
            if not others:
                return
            await self._evict(min(others, key=lambda name: self._entries[name].leases > 0))

    def _exceeds_limits(self) -> bool:
        return len(self.ready()) > self._max_models or self.loaded_bytes > self._max_bytes

    async def _evict(self, name: str) -> None:
        """Take a model out of sight at once, and close it when its last lease comes back."""
        entry = self._entries.pop(name)
        self._record(CacheEvent.EVICTION, name)
        if entry.leases:
            await entry.idle.wait()
        await entry.loaded.result().close()

    def _record(self, event: CacheEvent, name: str, seconds: float = 0.0) -> None:
        self._observe(CacheRecord(event, name, self.loaded_bytes, seconds))
