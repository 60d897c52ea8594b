"""One replica that runs models: a model host, and what answers the frames that Serve brings it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import msgspec

from model_store.store import ModelStore
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Describe,
    FrameDecoder,
    Question,
)
from service.processes.engine_process.responder import Responder
from service.processes.model_host import ModelHost, open_model_host
from service.processes.owned_task import owned_task
from service.processes.ray.held_models import HeldModels, name_revision
from service.processes.ray.told_metrics import ToldMetrics, Worked
from service.settings import Settings

_REQUESTS: FrameDecoder[Question] = FrameDecoder(Question)

_GOODBYE_S = 1.0

Tell = Callable[[Worked], Awaitable[None]]


class EngineReplica:
    """Answers calls with the models of this process."""

    def __init__(
        self,
        host: ModelHost,
        held: HeldModels,
        hang_timeout_s: float,
        tell_board: Callable[[], Awaitable[None]],
    ) -> None:
        """Answer with a model host; an engine that does nothing for so many seconds hangs."""
        self._host = host
        self.tell_board = tell_board
        self._held = held
        self._hang_timeout_s = hang_timeout_s
        self._responder = Responder(host)

    async def answer(self, frame: bytes) -> bytes:
        """Answer a call."""
        _, request = _REQUESTS.decode(frame)
        preset = getattr(request, "preset", None)
        if preset is not None:  # before it is loaded: the next call for it is to come here too
            await self._held.add(preset)
        try:
            return await self._responder.answer(NO_ANSWER, request)
        finally:
            await self.list_held()

    async def answer_if_held(self, frame: bytes) -> bytes | None:
        """Answer a call that is for every replica, if what it is about is here."""
        _, request = _REQUESTS.decode(frame)
        if isinstance(request, Describe) or request.preset in self._host.models:  # type: ignore[union-attr]
            return await self.answer(frame)
        return None

    async def check_health(self) -> None:
        """Return if the engine's thread does something.

        Raises:
            TimeoutError: it hangs.
        """
        async with asyncio.timeout(self._hang_timeout_s):
            await self._host.pass_engine()
        await self.list_held()

    async def list_held(self) -> None:
        """Say what is here, so that Serve's list is what the cache holds."""
        models = self._host.models
        revisions = []
        for name in list(models.ready()):
            model = models.ready().get(name)  # it may have gone while another was looked at
            if model is not None:
                opened = await self._responder.open(model)
                revisions.append(name_revision(name, opened.revision))
        await self._held.set([*models.names(), *revisions])


@asynccontextmanager
async def open_engine_replica(
    settings: Settings,
    store: ModelStore,
    *,
    held: HeldModels,
    name: str,
    tell: Tell,
    hang_timeout_s: float,
) -> AsyncIterator[EngineReplica]:
    """Put a replica together; what the settings want loaded is, before it takes a call.

    Args:
        settings: of the whole service.
        store: where models come from.
        held: the list by which calls find their way here.
        name: the replica's.
        tell: sends the board what is to be counted.
        hang_timeout_s: seconds until an engine that does nothing hangs.
    """
    async with AsyncExitStack() as stack:
        kept: list[ToldMetrics] = []

        def create_metrics(**options: Any) -> ToldMetrics:
            kept.append(ToldMetrics(**options))
            return kept[0]

        async def say_goodbye() -> None:
            # Who ends has nobody left to complain to, and where all ends, the board may be gone:
            # Serve would have the call wait for another one.
            with suppress(Exception):
                async with asyncio.timeout(_GOODBYE_S):
                    await tell(kept[0].take(name, is_end=True))

        stack.push_async_callback(say_goodbye)
        host = await stack.enter_async_context(open_model_host(settings, store, create_metrics))
        await stack.enter_async_context(owned_task(kept[0].tell_all(name, tell)))

        async def tell_board() -> None:
            await tell(kept[0].take(name))

        replica = EngineReplica(host, held, hang_timeout_s, tell_board)
        if settings.preload:
            for preset in settings.configured_presets:
                with suppress(Exception):  # it is in the log, and who asks for it is told
                    await host.models.load(preset)
        await replica.list_held()
        yield replica


def encode_worked(worked: Worked) -> bytes:
    """Return what the board reads."""
    return msgspec.msgpack.encode(worked)
