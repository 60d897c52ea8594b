"""Heads of requests that are huge, or never end."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

from bench.reliability.server import Server, running_server

_PIECE = 2**20
_HALF_SENT = 500
_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a server did with such heads."""

    mebibytes_before: float
    mebibytes_at_most: float
    answer: str
    seconds: float


async def measure_heads() -> dict[str, object]:
    """Send each kind to a server of its own; return figures."""
    return {
        "a header of 150 MiB": await _measure(1, [b"name: ", *[b"v" * _PIECE] * 150]),
        "3,000,000 headers": await _measure(1, [b"a: b\r\n" * 10_000] * 300),
        f"{_HALF_SENT} heads half sent": await _measure(_HALF_SENT, [b"name: " + b"v" * 30_000]),
        f"{_HALF_SENT} silent connections": await _measure(_HALF_SENT, None),
    }


async def _measure(connections: int, pieces: Iterable[bytes] | None) -> Outcome:
    async with running_server() as server:
        before = server.resident_bytes
        started = perf_counter()
        sending = asyncio.gather(*(_send(server, pieces) for _ in range(connections)))
        most = before
        while not sending.done():
            most = max(most, server.resident_bytes)
            await asyncio.sleep(0.01)
        answers = set(await sending)
        return Outcome(
            round(before / 2**20, 1),
            round(most / 2**20, 1),
            ", ".join(sorted(answers)),
            round(perf_counter() - started, 1),
        )


async def _send(server: Server, pieces: Iterable[bytes] | None) -> str:
    """Send a head without its end, and return the first line that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(_LONGEST_S):
            for piece in _head(pieces):
                writer.write(piece)
                await writer.drain()
            return (await reader.readline()).decode().strip() or "closed"
    except ConnectionError:
        return "reset"
    except TimeoutError:
        return f"open after {_LONGEST_S:g} s"
    finally:
        writer.transport.abort()


def _head(pieces: Iterable[bytes] | None) -> Iterator[bytes]:
    if pieces is not None:
        yield b"GET /healthz HTTP/1.1\r\n"
        yield from pieces
