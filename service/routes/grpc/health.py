"""gRPC's own health service: whether the server is ready, as `GET /readyz` tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from model_store.errors import PresetNotFoundError
from service.routes.grpc.calls import Call, Calls
from service.routes.operations.readiness import Readiness

SERVICE = "grpc.health.v1.Health"
_PAUSE_S = 5.0
"""How often those who watch are told anew: each look fills a mask."""


class Health:
    """Says whether the server is ready, to who asks and to who watches."""

    def __init__(
        self,
        readiness: Readiness,
        services: tuple[str, ...],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Speak for some services: each is ready when the server is; `pause` lets seconds pass."""
        self._readiness = readiness
        self._services = frozenset({"", *services})
        self._pause = pause
        self._clock = clock
        self._looking = asyncio.Lock()
        self._seen: Any = None
        self._due = clock()

    def handlers(self, calls: Calls) -> dict[str, Any]:
        """Return what handles its methods, by name."""
        return {
            "Check": calls.answer(f"/{SERVICE}/Check", HealthCheckRequest, self._check),
            "Watch": calls.stream(f"/{SERVICE}/Watch", HealthCheckRequest, self._watch),
        }

    async def _check(self, request: Any, _: Call) -> Any:
        if request.service not in self._services:
            # The protocol wants this status, which one error has.
            message = "No service of that name is here; ask with an empty name for all of them."
            raise PresetNotFoundError(message)
        return HealthCheckResponse(status=await self._look())

    async def _watch(self, requests: AsyncIterator[Any], _: object) -> AsyncIterator[Any]:
        async for request in requests:
            if request.service not in self._services:
                yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
                return
            told = None
            while True:
                status = await self._look_at_times()
                if status != told:
                    yield HealthCheckResponse(status=status)
                told = status
                await self._pause(_PAUSE_S)

    async def _look_at_times(self) -> Any:
        """Look for all who watch, however many."""
        async with self._looking:
            if self._clock() >= self._due:
                self._seen = await self._look()
                self._due = self._clock() + _PAUSE_S
            return self._seen

    async def _look(self) -> Any:
        error = await self._readiness.check()
        return HealthCheckResponse.NOT_SERVING if error else HealthCheckResponse.SERVING
