"""Loaded models: an LRU cache with leases, single-flight loads, and limits on count and bytes.

Whoever uses a model holds a lease, from before it is loaded until its answer is made. A model is
closed only when nobody holds one. Loads run one at a time, and room is made after a load has
succeeded: a failed load costs nobody their model, and memory exceeds its limit by one model at
most, while that one is being loaded. Pinned models are the exception: they stay, whatever it takes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Generic

from service.errors.exceptions import ShuttingDownError
from service.models.cache_entry import Entry, Model
from service.models.cache_records import CacheEvent, CacheRecord


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
        pinned: Collection[str] = (),
    ) -> None:
        """Create an empty cache.

        Args:
            load: makes the model of a name; never called twice at once.
            max_models: how many to keep.
            max_bytes: how much memory they may take together.
            observe: called after every event.
            clock: seconds, monotonic.
            prepare: called before each load, outside the line that loads stand in.
            pinned: the names whose models are pinned as they are loaded.
        """
        self._load_model = load
        self._max_models = max_models
        self._max_bytes = max_bytes
        self._observe = observe
        self._clock = clock
        self._prepare = prepare
        self._pinned = pinned
        self._entries: OrderedDict[str, Entry[Model]] = OrderedDict()
        self._loading: set[Entry[Model]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retirements: set[asyncio.Task[None]] = set()
        self._failures: dict[str, Exception] = {}
        self._load_slot = asyncio.Lock()
        self._closing = False

    def __contains__(self, name: str) -> bool:
        """Say whether a model is loaded or being loaded."""
        return name in self._entries

    def ready(self) -> dict[str, Model]:
        """Return the loaded models by name, the least recently used first."""
        return {name: e.loaded.result() for name, e in self._entries.items() if e.is_ready}

    def names(self) -> list[str]:
        """Return the names of the models that are loaded or being loaded."""
        return list(self._entries)

    def failures(self) -> dict[str, Exception]:
        """Return why the last load of a name failed, for every name whose did."""
        return dict(self._failures)

    def pinned(self) -> set[str]:
        """Return the names of the models that are not evicted for others."""
        return {name for name, entry in self._entries.items() if entry.pin}

    @property
    def loaded_bytes(self) -> int:
        """The memory of the loaded models."""
        entries = self._entries.values()
        return sum(entry.loaded.result().nbytes for entry in entries if entry.is_ready)

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

    async def load(self, name: str, *, reload: bool = False, pin: bool | None = None) -> None:
        """Have a model loaded; whoever stops waiting does not stop the load.

        Args:
            name: the model's.
            reload: whether it is loaded anew if it is here. The old one is lent until the new one
                takes its place, and stays if that one cannot be loaded.
            pin: whether others may never take its place; None leaves that as it is.

        Raises:
            ShuttingDownError: the cache is closing.
            Exception: whatever the load raised.
        """
        entry = self._find_or_reload(name) if reload else self._find_or_load(name)
        if pin is not None:
            was_pinned, entry.pin = entry.pin, pin
            if entry.is_ready:
                self._record_pin(entry, was_pinned=was_pinned)
        await asyncio.shield(entry.loaded)

    async def unload(self, name: str) -> None:
        """Give a model up, pinned or not, and wait until it is closed.

        A load of it that is under way is waited for first. Whoever stops waiting stops nothing.

        Raises:
            ShuttingDownError: the cache is closing.
        """
        self._require_open()
        await asyncio.shield(self._own(self._unload(name)))

    async def discard(self, name: str, model: Model) -> None:
        """Evict a model, unless another one of its name has come in its place."""
        if self.ready().get(name) is model:
            await asyncio.shield(self._evict(name, reason="replaced"))

    async def close(self) -> None:
        """Lend nothing more, wait for the leases out, and close every model."""
        self._closing = True
        loaders = [entry.loader for entry in self._loading if entry.loader]
        for loader in loaders:
            loader.cancel()
        await asyncio.gather(*loaders, return_exceptions=True)
        for entry in list(self._loading):  # cancelled before the first step of its load
            self._fail(entry, asyncio.CancelledError(), seconds=0.0)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for name in list(self._entries):
            await self._evict(name, reason="the server ends")

    def _find_or_load(self, name: str) -> Entry[Model]:
        self._require_open()
        entry = self._entries.get(name)
        if entry is not None:
            self._entries.move_to_end(name)
            self._record(CacheEvent.HIT, name)
            return entry
        entry = self._start_load(name)
        self._record(CacheEvent.MISS, name)
        return entry

    def _find_or_reload(self, name: str) -> Entry[Model]:
        """Return a load that reads the files from now on."""
        self._require_open()
        for entry in self._loading:
            if entry.name == name and not entry.has_begun:
                return entry
        return self._start_load(name)

    def _start_load(self, name: str) -> Entry[Model]:
        entry = Entry[Model](name, asyncio.get_running_loop().create_future())
        self._entries.setdefault(name, entry)
        self._loading.add(entry)
        entry.loader = self._own(self._load(entry))
        return entry

    async def _load(self, entry: Entry[Model]) -> None:
        started = self._clock()
        try:
            if self._prepare is not None:
                await self._prepare(entry.name)
            async with self._load_slot:
                if self._retirements:  # out of sight, but not yet out of memory
                    await asyncio.wait(self._retirements)
                entry.has_begun = True
                started = self._clock()
                model = await self._load_model(entry.name)
                replaced = self._put(entry, model)
                seconds = self._clock() - started
                self._record(CacheEvent.LOAD, entry.name, seconds=seconds, model=model)
                self._record_pin(entry, was_pinned=replaced.pin if replaced else None)
                if replaced:
                    await self._retire(replaced)
                await self._make_room(entry)
        except BaseException as error:
            if entry.loaded.done():
                raise
            self._fail(entry, error, self._clock() - started)
            if not isinstance(error, Exception):
                raise

    def _put(self, entry: Entry[Model], model: Model) -> Entry[Model] | None:
        """Lend a model from now on; return the one that was lent under its name before."""
        before = self._entries.get(entry.name)
        replaced = before if before and before.is_ready else None
        if entry.pin is None:
            entry.pin = replaced.pin if replaced else entry.name in self._pinned
        self._entries[entry.name] = entry
        self._loading.remove(entry)
        self._failures.pop(entry.name, None)
        entry.loaded.set_result(model)
        return replaced

    def _fail(self, entry: Entry[Model], error: BaseException, seconds: float) -> None:
        """Forget a load, so that the next caller tries again, and tell those who wait for it."""
        self._loading.remove(entry)
        if self._entries.get(entry.name) is entry:
            del self._entries[entry.name]
        if isinstance(error, Exception):
            self._failures[entry.name] = error
            self._record(CacheEvent.FAILURE, entry.name, seconds=seconds, error=error)
            entry.loaded.set_exception(error)
        else:
            entry.loaded.set_exception(ShuttingDownError())
        entry.loaded.exception()  # seen, even if every caller has left meanwhile

    async def _unload(self, name: str) -> None:
        under_way = [entry.loaded for entry in self._loading if entry.name == name]
        await asyncio.gather(*under_way, return_exceptions=True)
        if name in self.ready():
            self._failures.pop(name, None)
            await self._evict(name, event=CacheEvent.UNLOAD)

    async def _make_room(self, newest: Entry[Model]) -> None:
        """Evict until the limits hold: idle models before used ones, then the longest unused."""
        while self._exceeds_limits():
            others = [e for e in self._entries.values() if e.is_ready and e is not newest]
            idle_first = sorted(others, key=lambda entry: entry.leases > 0)
            evictable = [entry for entry in idle_first if not entry.pin]
            if not evictable:
                return
            await self._evict(evictable[0].name, reason=f"room for {newest.name}")

    def _exceeds_limits(self) -> bool:
        return len(self.ready()) > self._max_models or self.loaded_bytes > self._max_bytes

    def _evict(
        self, name: str, *, event: CacheEvent = CacheEvent.EVICTION, reason: str | None = None
    ) -> asyncio.Task[None]:
        """Take a model out of sight at once, and close it when its last lease comes back."""
        entry = self._entries.pop(name)
        self._record(event, name, reason=reason)
        return self._retire(entry)

    def _retire(self, entry: Entry[Model]) -> asyncio.Task[None]:
        retirement = self._own(entry.close_idle())
        self._retirements.add(retirement)
        retirement.add_done_callback(self._retirements.discard)
        return retirement

    def _own(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what goes on though its caller leaves, and ends before the cache is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _require_open(self) -> None:
        if self._closing:
            raise ShuttingDownError

    def _record_pin(self, entry: Entry[Model], *, was_pinned: bool | None) -> None:
        if bool(entry.pin) != bool(was_pinned):
            self._record(CacheEvent.PIN if entry.pin else CacheEvent.UNPIN, entry.name)

    def _record(self, event: CacheEvent, name: str, **details: Any) -> None:
        self._observe(CacheRecord(event, name, self.loaded_bytes, **details))
