"""Three times as many requests as the server can answer, at a constant rate."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from bench.reliability.answers import IdleAnswers
from bench.reliability.http_client import Answer, Connection, LostAnswerError
from bench.reliability.server import Server, running_server

DEADLINE_S = 2.0
_TEXTS = 64
_SATURATING = 64
_SATURATION_S = 5.0
_TIMES = 3
_MOST_CONNECTIONS = 2000
_MEMORY_EVERY_S = 1.0
_FRESH_S = 3.0


@dataclass(slots=True)
class Seen:
    """What came back while the server had too much to do.

    Attributes:
        accepted: seconds of each request that was answered.
        refused: seconds of each that got 429.
        others: how many of each other status, and of lost connections.
        wrong: how many answers were not those of the idle server.
        memory: bytes, once a second.
        retry_after: what refusals said, in seconds.
    """

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    memory: list[int] = field(default_factory=list)
    retry_after: Counter[str] = field(default_factory=Counter)


async def measure_overload(seconds: float) -> dict[str, object]:
    """Overload a server with the embedded preset; return figures."""
    async with running_server(request_timeout_s=str(DEADLINE_S)) as server:
        right = await IdleAnswers.ask(server.port, _TEXTS)
        rate = await _saturate(server, right)
        seen = await _overload(server, right, rate * _TIMES, seconds)
    return {"saturation_per_s": round(rate, 1), **_describe(seen, rate * _TIMES, seconds)}


async def _saturate(server: Server, right: IdleAnswers) -> float:
    """Return how many requests a second are answered when callers always have one under way."""
    answered = 0
    until = perf_counter() + _SATURATION_S

    async def call(number: int) -> None:
        nonlocal answered
        connection = await Connection.open(server.port)
        while perf_counter() < until:
            body = right.bodies[number % len(right.bodies)]
            answer = await connection.ask("POST", "/fill-mask", body)
            if answer.status == 200:
                answered += 1
            else:
                await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
            number += 1
        connection.close()

    await asyncio.gather(*map(call, range(_SATURATING)))
    return answered / _SATURATION_S


async def _overload(server: Server, right: IdleAnswers, rate: float, seconds: float) -> Seen:
    seen, idle, busy = Seen(), list[tuple[float, Connection]](), set[asyncio.Task[None]]()

    async def ask(number: int) -> None:
        try:
            connection = _take_fresh(idle) or await Connection.open(server.port)
            body = right.bodies[number % len(right.bodies)]
            answer = await connection.ask("POST", "/fill-mask", body)
        except (OSError, LostAnswerError, TimeoutError) as error:
            seen.others[type(error).__name__] += 1
        else:
            idle.append((perf_counter(), connection))
            _record(seen, right, number % len(right.bodies), answer)

    watching = asyncio.create_task(_watch_memory(server, seen))
    async for number in _at_a_rate(rate, seconds):
        if len(busy) >= _MOST_CONNECTIONS:
            seen.others["not sent: too many under way"] += 1
            continue
        task = asyncio.create_task(ask(number))
        busy.add(task)
        task.add_done_callback(busy.discard)
    await asyncio.gather(*busy)
    watching.cancel()
    for _, connection in idle:
        connection.close()
    return seen


def _take_fresh(idle: list[tuple[float, Connection]]) -> Connection | None:
    """Return the connection used last, unless the server is about to close it as idle."""
    while idle:
        since, connection = idle.pop()
        if perf_counter() - since < _FRESH_S:
            return connection
        connection.close()
    return None


async def _at_a_rate(rate: float, seconds: float) -> AsyncIterator[int]:
    """Yield numbers when they are due, whatever became of those before."""
    started = perf_counter()
    for number in range(int(rate * seconds)):
        if (wait := started + number / rate - perf_counter()) > 0:
            await asyncio.sleep(wait)
        yield number


async def _watch_memory(server: Server, seen: Seen) -> None:
    while True:
        seen.memory.append(server.resident_bytes)
        await asyncio.sleep(_MEMORY_EVERY_S)


def _record(seen: Seen, right: IdleAnswers, number: int, answer: Answer) -> None:
    if answer.status == 200:
        seen.accepted.append(answer.seconds)
        seen.wrong += not right.is_right(number, answer)
    elif answer.status == 429:
        seen.refused.append(answer.seconds)
        seen.retry_after[answer.headers["retry-after"]] += 1
    else:
        seen.others[str(answer.status)] += 1


def _describe(seen: Seen, rate: float, seconds: float) -> dict[str, object]:
    def milliseconds(values: list[float], share: float) -> float:
        return round(1000 * float(np.percentile(values, share)), 1) if values else float("nan")

    third = max(1, len(seen.memory) // 3)
    return {
        "offered_per_s": round(rate, 1),
        "seconds": seconds,
        "accepted": len(seen.accepted),
        "accepted_p50_ms": milliseconds(seen.accepted, 50),
        "accepted_p99_ms": milliseconds(seen.accepted, 99),
        "deadline_ms": 1000 * DEADLINE_S,
        "refused": len(seen.refused),
        "refused_p50_ms": milliseconds(seen.refused, 50),
        "refused_p99_ms": milliseconds(seen.refused, 99),
        "retry_after_s": dict(seen.retry_after),
        "others": dict(seen.others),
        "wrong_answers": seen.wrong,
        "memory_mib_thirds": [
            round(float(np.median(part)) / 2**20, 1)
            for part in (seen.memory[:third], seen.memory[third:-third], seen.memory[-third:])
            if part
        ],
    }
