"""SIGTERM under load, again and again: whoever was let in is answered."""

import asyncio
import random
import signal
from collections import Counter

from bench.reliability.answers import IdleAnswers
from bench.reliability.http_client import Connection, LostAnswerError
from bench.reliability.server import Server, running_server

_CALLERS = 32
_TEXTS = 32
_PATIENCE_S = 60.0


async def measure_terminations(times: int) -> dict[str, object]:
    """Terminate servers with the embedded preset at random moments; return what callers got."""
    got: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    rng = random.Random(20)  # noqa: S311  # nosec B311  # the same moments every time
    right: IdleAnswers | None = None
    for _ in range(times):
        async with running_server() as server:
            right = right or await IdleAnswers.ask(server.port, _TEXTS)
            callers = [_call(server, right, number, got) for number in range(_CALLERS)]
            ending = _terminate(server, rng.uniform(0.2, 1.2))
            async with asyncio.timeout(_PATIENCE_S):
                *_, status = await asyncio.gather(*callers, ending)
            statuses[status] += 1
    return {"terminations": times, "answers": dict(got), "exit_statuses": dict(statuses)}


async def _terminate(server: Server, after_s: float) -> int:
    await asyncio.sleep(after_s)
    server.process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(server.process.wait, _PATIENCE_S)


async def _call(server: Server, right: IdleAnswers, number: int, got: Counter[str]) -> None:
    """Ask until the server says that it ends, by a status or by closing the connection."""
    connection = await Connection.open(server.port)
    while True:
        number = (number + 1) % len(right.bodies)
        try:
            answer = await connection.ask("POST", "/fill-mask", right.bodies[number])
        except LostAnswerError:
            got["lost"] += 1
            return
        if answer.status == 200:
            got["right" if right.is_right(number, answer) else "wrong"] += 1
        else:
            got[str(answer.status)] += 1
        if answer.status != 200 or answer.headers.get("connection") == "close":
            connection.close()
            return
