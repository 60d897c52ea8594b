"""The metrics of the cluster, in one place: no count goes with a replica that ends."""

from collections.abc import Callable
from time import monotonic

import msgspec

from service.errors.table import outcome
from service.models.cache_records import CacheEvent, CacheRecord
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Count,
    Counted,
    Exposed,
    FrameDecoder,
    Observed,
    Request,
    encode_frame,
)
from service.processes.engine_process.responder import count
from service.processes.ray.merged_presets import merge_states
from service.processes.ray.told_metrics import Standing, Worked
from service.settings import Settings
from service.telemetry.metrics import Metrics

_SILENCE_S = 10.0
"""How long a replica is believed to stand as it last said."""

_REQUESTS: FrameDecoder[Request] = FrameDecoder(Request)
_WORKED = msgspec.msgpack.Decoder(Worked)


class Board:
    """Counts what ingress and engine replicas tell, and shows it."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        """Count from zero."""
        self._clock = clock
        self._standings: dict[str, tuple[float, Standing]] = {}
        self._metrics = Metrics(
            outcome=outcome,
            queue_size=lambda: sum(each.queue_size for each in self._present()),
            queue_age=lambda: max((each.queue_age for each in self._present()), default=0.0),
            preset_states=lambda: merge_states([each.states for each in self._present()]),
            configured=settings.configured_presets,
        )

    async def answer(self, frame: bytes) -> bytes:
        """Answer a call of an ingress replica: `Count` or `Expose`."""
        _, request = _REQUESTS.decode(frame)
        if isinstance(request, Count):
            return encode_frame(NO_ANSWER, Counted(await self._metrics.tally(request.preset)))
        self._show_bytes()
        return encode_frame(NO_ANSWER, Exposed(await self._metrics.expose()))

    async def hear(self, frame: bytes) -> None:
        """Count what an ingress replica saw."""
        _, request = _REQUESTS.decode(frame)
        if isinstance(request, Observed):
            count(request, self._metrics)

    async def note(self, message: bytes) -> None:
        """Count what an engine replica did, and note how it stands."""
        worked = _WORKED.decode(message)
        if worked.standing is None:
            self._standings.pop(worked.replica, None)
        else:
            self._standings[worked.replica] = self._clock(), worked.standing
        for batch in worked.batches:
            self._metrics.observe_batch(batch)
        for event, seconds in worked.cache:
            record = CacheRecord(CacheEvent(event), "", self._bytes(), seconds)
            self._metrics.observe_cache(record)

    def _show_bytes(self) -> None:
        # An event that nothing counts: only the bytes are taken from it.
        self._metrics.observe_cache(CacheRecord(CacheEvent.UNLOAD, "", self._bytes()))

    def _bytes(self) -> int:
        return sum(each.loaded_bytes for each in self._present())

    def _present(self) -> list[Standing]:
        """Return how those stand that were heard of lately; others are gone without a word."""
        since = self._clock() - _SILENCE_S
        self._standings = {k: v for k, v in self._standings.items() if v[0] >= since}
        return [standing for _, standing in self._standings.values()]
