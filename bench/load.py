"""A load generator in a process of its own: raw HTTP/1.1 over kept-alive connections.

One generator makes both kinds of load, so that their latencies mean the same:

- closed: every caller sends its next request when its answer is there;
- open: requests are due at a constant rate, whatever is answered. Time counts from when a request
  was due, not from when a connection was free for it, so waiting is never left out.

It reads a job from its input and writes a report to its output, JSON both.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import cast

import numpy as np
import uvloop

from bench.readers import READERS, take_content

_DRAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to send.

    Attributes:
        port: where the server listens, on this machine only.
        path: the route.
        bodies: request bodies, sent in turn.
        callers: connections; those of an open load are as many as ever wait at once.
        warm_seconds: how long to send before anything counts.
        seconds: how long to count.
        fewest: answers to wait for beyond that, until `most_seconds`.
        most_seconds: when to stop counting at the latest.
        rate: requests a second of an open load, or 0 for a closed one.
        requests: how many to count instead of counting for a time, or 0.
        reader: how answers are read, a name in `bench.readers`; empty reads none.
        positions: where each body's mask is among its tokens, for readers that must know.
    """

    port: int
    path: str
    bodies: list[str]
    callers: int
    warm_seconds: float = 1.0
    seconds: float = 5.0
    fewest: int = 0
    most_seconds: float = 20.0
    rate: float = 0.0
    requests: int = 0
    reader: str = ""
    positions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What came back; seconds all.

    Attributes:
        answers: those with status 200 while time counted.
        errors: how many of each other status, and of broken connections.
        seconds: how long was counted.
        p50: half of the answers took no longer, and so on.
        unanswered: due requests of an open load without an answer at its end.
    """

    answers: int
    seconds: float
    errors: dict[str, int] = field(default_factory=dict)
    p50: float = float("nan")
    p99: float = float("nan")
    unanswered: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class Caller(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, load: "Load") -> None:
        """Belong to a load."""
        self._load = load
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._due = 0.0
        self._number = 0
        self._is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready for a first request."""
        # uvloop's transport writes, and is no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, number: int, request: bytes, due: float) -> None:
        """Send the request of a body, which was due at that time."""
        assert self._transport is not None  # noqa: S101  # nosec B101  # connecting was awaited
        self._number, self._due, self._is_busy = number, due, True
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        self._received += data
        if _is_complete(self._received):
            status = self._received[9:12].decode()
            if status == "200":
                self._load.read(self._number, self._received)
            self._received.clear()
            self._is_busy = False
            self._load.hear(self, status, self._due)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Count a request whose answer never came."""
        if self._is_busy and not self._load.is_over:
            self._load.lose()


def _is_complete(received: bytearray) -> bool:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    at = head.find(b"content-length:")
    if at < 0:
        return received.endswith(b"\r\n0\r\n\r\n")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0])
    return len(received) >= end + 4 + length


class Load:
    """Sends the requests of a job and counts what comes back."""

    def __init__(self, job: Job) -> None:
        """Prepare the bytes of every request."""
        self._job = job
        self._requests = [_write_request(job, body.encode()) for body in job.bodies]
        self._sent = 0
        self._idle: deque[Caller] = deque()
        self._waiting: deque[float] = deque()
        self._latencies: list[float] = []
        self._errors: Counter[str] = Counter()
        self._counts_from = float("inf")
        self._counted = asyncio.Event()
        self._wanted = 0
        self.is_over = False

    async def run(self) -> Report:
        """Send, and report."""
        loop = asyncio.get_running_loop()
        for _ in range(self._job.callers):
            _, caller = await loop.create_connection(
                lambda: Caller(self), "127.0.0.1", self._job.port
            )
            self._idle.append(caller)
        return await (self._run_open() if self._job.rate else self._run_closed())

    def hear(self, caller: Caller, status: str, due: float) -> None:
        """Take an answer, and keep its caller at work."""
        now = perf_counter()
        if due >= self._counts_from or (not self._job.rate and now >= self._counts_from):
            if status == "200":
                self._latencies.append(now - due)
            else:
                self._errors[status] += 1
            if len(self._latencies) + self._errors.total() >= self._wanted:
                self._counted.set()
        if self.is_over:
            return
        if not self._job.rate:
            self._send(caller, now)
        elif self._waiting:
            self._send(caller, self._waiting.popleft())
        else:
            self._idle.append(caller)

    def read(self, number: int, received: bytearray) -> None:
        """Read an answer as who asked would: what that costs is part of what a server gives."""
        if self._job.reader:
            position = self._job.positions[number] if self._job.positions else 0
            READERS[self._job.reader](take_content(received), position)

    def lose(self) -> None:
        """Take that a connection broke: it is not opened again, and shows in the report."""
        self._errors["lost"] += 1

    async def _run_closed(self) -> Report:
        job = self._job
        while self._idle:
            self._send(self._idle.popleft(), perf_counter())
        await asyncio.sleep(job.warm_seconds)
        started = self._counts_from = perf_counter()
        self._wanted = job.requests or job.fewest
        if not job.requests:
            await asyncio.sleep(job.seconds)
        if len(self._latencies) + self._errors.total() < self._wanted:
            await self._wait_counted(job.most_seconds - (perf_counter() - started))
        self.is_over = True
        return self._report(perf_counter() - started, unanswered=0)

    async def _run_open(self) -> Report:
        job = self._job
        started = perf_counter()
        self._counts_from = started + job.warm_seconds
        last = int((job.warm_seconds + job.seconds) * job.rate)
        due_times = (started + number / job.rate for number in range(last))
        for due in due_times:
            if (delay := due - perf_counter()) > 0:
                await asyncio.sleep(delay)
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._waiting.append(due)
        ended = perf_counter()
        due_count = sum(started + number / job.rate >= self._counts_from for number in range(last))
        self._wanted = due_count
        if len(self._latencies) + self._errors.total() < due_count:
            await self._wait_counted(_DRAIN_SECONDS)
        self.is_over = True
        unanswered = due_count - len(self._latencies) - self._errors.total()
        return self._report(ended - self._counts_from, unanswered=max(0, unanswered))

    async def _wait_counted(self, seconds: float) -> None:
        self._counted.clear()
        try:
            async with asyncio.timeout(max(0, seconds)):
                await self._counted.wait()
        except TimeoutError:
            return

    def _send(self, caller: Caller, due: float) -> None:
        number = self._sent % len(self._requests)
        caller.send(number, self._requests[number], due)
        self._sent += 1

    def _report(self, seconds: float, unanswered: int) -> Report:
        report = Report(len(self._latencies), seconds, dict(self._errors), unanswered=unanswered)
        if self._latencies:
            report.p50, report.p99 = np.percentile(self._latencies, (50, 99)).tolist()
        return report


def _write_request(job: Job, body: bytes) -> bytes:
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Do the job that comes in."""
    job = Job(**json.load(sys.stdin))
    report = uvloop.run(Load(job).run())
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    main()
