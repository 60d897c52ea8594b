"""What an engine replica counts: all of it is told to the board, which counts for the cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from service.errors.exceptions import EngineLostError
from service.models.cache_records import CacheRecord
from service.scheduling.batch_records import BatchRecord
from service.telemetry.metrics import Metrics

_GATHERED_S = 0.1
"""For how long news is gathered: to send each by itself would cost more than it."""

BEAT_S = 1.0
"""How often a replica tells how it stands when there is no news."""


class Standing(msgspec.Struct, frozen=True):
    """How a replica stands: what its queues hold, its memory, and its presets."""

    queue_size: int
    queue_age: float
    loaded_bytes: int
    states: dict[str, str]


class Worked(msgspec.Struct, frozen=True):
    """What a replica did since it last said so, and how it stands; not at all, once it has ended.

    Attributes:
        replica: who tells.
        batches: what ran.
        cache: what happened to models, and the seconds that it took.
        standing: None where the replica is gone.
    """

    replica: str
    batches: list[BatchRecord]
    cache: list[tuple[str, float]]
    standing: Standing | None


class ToldMetrics(Metrics):
    """Metrics that are kept to be told."""

    def __init__(
        self,
        *,
        queue_size: Callable[[], int],
        queue_age: Callable[[], float],
        preset_states: Callable[[], Mapping[str, str]],
        **rest: Any,
    ) -> None:
        """Keep what `Metrics` shows."""
        super().__init__(
            queue_size=queue_size, queue_age=queue_age, preset_states=preset_states, **rest
        )
        self._loaded_now = 0

        def stand() -> Standing:
            return Standing(queue_size(), queue_age(), self._loaded_now, dict(preset_states()))

        self._stand = stand
        self._batches: list[BatchRecord] = []
        self._events: list[tuple[str, float]] = []
        self._is_news = asyncio.Event()

    def observe_batch(self, record: BatchRecord) -> None:
        """Keep a batch."""
        self._batches.append(record)
        self._is_news.set()

    def observe_cache(self, record: CacheRecord) -> None:
        """Keep what happened to a model."""
        self._loaded_now = record.loaded_bytes
        self._events.append((record.event, record.seconds))
        self._is_news.set()

    def take(self, replica: str, *, is_end: bool = False) -> Worked:
        """Return what was kept since this was called last."""
        self._is_news.clear()
        batches, self._batches = self._batches, []
        events, self._events = self._events, []
        return Worked(replica, batches, events, None if is_end else self._stand())

    async def tell_all(self, replica: str, tell: Callable[[Worked], Awaitable[None]]) -> None:
        """Tell what is kept soon after it is, and now and then that the replica is there."""
        while True:
            with suppress(EngineLostError):
                await tell(self.take(replica))
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._is_news.wait()
            await asyncio.sleep(_GATHERED_S)
