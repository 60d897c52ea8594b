"""gRPC's health service, by its own stub."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from fakes import FakeStore, ManualClock, settle
from grpc_calls import Caller, open_caller, refuse
from service.errors.exceptions import ShuttingDownError
from service.routes.grpc.calls import Calls
from service.routes.grpc.health import Health

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class FakeReadiness:
    """Says what a test says, and counts how often it is asked."""

    def __init__(self) -> None:
        """Be ready."""
        self.error: Exception | None = None
        self.looks = 0

    async def check(self) -> Exception | None:
        """Return what is wrong."""
        self.looks += 1
        return self.error


@pytest.mark.parametrize("service", ["", "inference.GRPCInferenceService", "grpc.health.v1.Health"])
async def test_server_is_healthy_when_it_is_ready(
    store: FakeStore, serve: Any, service: str
) -> None:
    """Whichever of its services is asked for, and without a key."""
    async with open_caller(serve, store, api_keys=("key",)) as caller:
        health = HealthStub(caller.channel)
        assert (await health.Check(HealthCheckRequest(service=service))).status == SERVING
        store.errors["tiny"] = ValueError()
        await caller.ask("RepositoryModelUnload", model_name="tiny")
        assert (await health.Check(HealthCheckRequest(service=service))).status == NOT_SERVING


async def test_probes_may_need_a_key(store: FakeStore, serve: Any) -> None:
    """Where those of HTTP do."""
    async with open_caller(serve, store, api_keys=("key",), open_probes=False) as caller:
        refused = await refuse(HealthStub(caller.channel).Check(HealthCheckRequest()))
        assert refused.code == "unauthorized"


async def test_other_services_are_not_found(caller: Caller) -> None:
    """As the health service has it."""
    refused = await refuse(HealthStub(caller.channel).Check(HealthCheckRequest(service="other")))
    assert refused.status is grpc.StatusCode.NOT_FOUND
    assert "No service of that name" in refused.sentence
    watched = HealthStub(caller.channel).Watch(HealthCheckRequest(service="other"))
    assert [each.status async for each in watched] == [HealthCheckResponse.SERVICE_UNKNOWN]


async def test_who_watches_is_told_what_changes() -> None:
    """Once each time, and all of them by one look."""
    readiness, clock, pauses = FakeReadiness(), ManualClock(), asyncio.Queue[None]()

    async def pause(_: float) -> None:
        await pauses.get()

    async def requests() -> Any:
        yield HealthCheckRequest()

    health = Health(readiness, (), pause, clock)  # type: ignore[arg-type]
    first, second = (health._watch(requests(), None) for _ in range(2))
    assert [(await anext(first)).status, (await anext(second)).status] == [SERVING] * 2
    assert readiness.looks == 1
    told = asyncio.ensure_future(anext(first))
    clock.advance(5)
    pauses.put_nowait(None)
    await settle()
    assert (readiness.looks, told.done()) == (2, False)
    readiness.error = ShuttingDownError()
    clock.advance(5)
    pauses.put_nowait(None)
    assert (await told).status == NOT_SERVING
    await first.aclose()
    await second.aclose()


async def test_who_watches_nothing_is_told_nothing(caller: Caller) -> None:
    """A stream may end before a message has come."""
    watch = caller.channel.stream_stream("/grpc.health.v1.Health/Watch")
    assert [each async for each in watch(iter(()))] == []


async def test_watchers_of_a_server_that_ends_are_sent_away() -> None:
    """Those too whose call was begun just before."""

    class Context:
        async def write(self, _: object) -> None:
            await asyncio.Event().wait()

    async def respond() -> Any:
        yield HealthCheckResponse()

    calls = Calls(None, None, None)  # type: ignore[arg-type]
    calls.end_streams()
    with pytest.raises(ShuttingDownError):
        await calls._pump(respond(), Context())


async def test_watching_ends_with_the_server(caller: Caller) -> None:
    """It would keep it from ending."""
    watched = HealthStub(caller.channel).Watch(HealthCheckRequest())
    assert (await watched.read()).status == SERVING
    await caller.end()
    assert await watched.code() is grpc.StatusCode.UNAVAILABLE
    assert dict(await watched.trailing_metadata())["code"] == "shutting_down"


async def test_who_watches_takes_room(store: FakeStore, serve: Any) -> None:
    """Until they hang up."""
    async with open_caller(serve, store, max_connections=1) as caller:
        watched = HealthStub(caller.channel).Watch(HealthCheckRequest())
        await watched.read()
        assert (await refuse(caller.start("ServerLive"))).code == "overloaded"
        watched.cancel()
        while not await lives(caller):  # noqa: ASYNC110  # nobody tells who has hung up
            await asyncio.sleep(0.001)


async def lives(caller: Caller) -> bool:
    """Say whether a server answers at all."""
    try:
        return bool((await caller.ask("ServerLive")).live)
    except grpc.aio.AioRpcError:
        return False
