"""Thousands of callers who hang up at random moments."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass

from bench.reliability.answers import IdleAnswers
from bench.reliability.http_client import Connection, ask_once
from bench.reliability.server import Server, running_server

_TEXTS = 32
_AT_ONCE = 64
_LONGEST_WAIT_S = 0.5
_DRAIN_S = 120.0
_POLL_S = 0.1
_ADMIN = "admin"
_PRESET = "minilm_l6_en_uncased"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a server holds on to."""

    queue: float
    sockets: int
    mebibytes: float


async def measure_hang_ups(callers: int) -> dict[str, object]:
    """Let callers hang up on a server with the embedded preset; return figures."""
    async with running_server(admin_keys=_ADMIN) as server:
        right = await IdleAnswers.ask(server.port, _TEXTS)
        before = await _look(server)
        await _hang_up(server, right, callers)
        await _wait_until_empty(server, before.sockets)
        after = await _look(server)
        answer = await ask_once(server.port, "POST", "/fill-mask", right.bodies[0])
        # It waits for every lease: one that was not given back would hold it.
        unloaded = await ask_once(
            server.port, "POST", f"/presets/{_PRESET}/unload", authorization=f"Bearer {_ADMIN}"
        )
        return {
            "callers": callers,
            "before": before,
            "after": after,
            "cancelled": await server.read_metric(
                r'fill_mask_requests_total{outcome="cancelled"[^}]*}'
            ),
            "next_answer_is_right": right.is_right(0, answer),
            "unload_status": unloaded.status,
        }


async def _hang_up(server: Server, right: IdleAnswers, callers: int) -> None:
    rng = random.Random(20)  # noqa: S311  # nosec B311  # the same moments every time
    turns = asyncio.Semaphore(_AT_ONCE)

    async def call(number: int) -> None:
        async with turns:
            connection = await Connection.open(server.port)
            body = right.bodies[number % len(right.bodies)]
            # Some leave in the middle of their own request, which then says more than it has.
            missing = rng.choice((0, 0, 0, 10))
            headers = {"content-length": str(len(body))}
            connection.send("POST", "/fill-mask", body[: len(body) - missing], headers)
            await asyncio.sleep(rng.uniform(0, _LONGEST_WAIT_S) * rng.choice((0.0, 0.1, 1.0)))
            rng.choice((connection.close, connection.abort))()

    await asyncio.gather(*map(call, range(callers)))


async def _wait_until_empty(server: Server, sockets: int) -> None:
    async with asyncio.timeout(_DRAIN_S):
        # Another process's queue has no event.
        while await server.read_metric("fill_mask_queue_size"):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
    with suppress(TimeoutError):  # the figures say so
        async with asyncio.timeout(_DRAIN_S):
            while server.sockets > sockets:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)


async def _look(server: Server) -> Holdings:
    return Holdings(
        await server.read_metric("fill_mask_queue_size"),
        server.sockets,
        round(server.resident_bytes / 2**20, 1),
    )
