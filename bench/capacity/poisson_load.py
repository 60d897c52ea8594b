"""An open load with random arrivals, in a process of its own.

Requests are due at the times of a Poisson process, whatever is answered, and their time counts from
when they were due: lateness of this process is in it. It reads a job from its input and writes its
answers to its output, JSON both.
"""

import asyncio
import json
import random
import selectors
import sys
from dataclasses import asdict, dataclass
from time import perf_counter, process_time

from bench.load import Caller, Job, Load

_DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One request; the system's clock and durations, in seconds.

    Attributes:
        due: when it was to be sent.
        sent: when it was.
        received: when its answer was there.
        queue: how long its text waited for its batch, as the server says.
        inference: how long the batch ran, as the server says.
    """

    due: float
    sent: float
    received: float
    queue: float
    inference: float

    @property
    def seconds(self) -> float:
        """What its caller waited."""
        return self.received - self.due


class PoissonLoad(Load):
    """Sends requests at random times and keeps every answer."""

    def __init__(self, job: Job, seed: int) -> None:
        """Prepare the bytes of every request, and the times."""
        super().__init__(job)
        self._rng = random.Random(seed)  # noqa: S311  # nosec B311  # the same times every time
        # Its own: what waited for a connection is chosen later, which must not move the times.
        self._choices = random.Random(seed)  # noqa: S311  # nosec B311
        self._stages = (0.0, 0.0)
        self._sent_at: dict[Caller, float] = {}
        self.answers: list[Answer] = []
        self.unanswered = 0

    def read(self, number: int, received: bytearray) -> None:
        """Read how long the server says that the stages took."""
        del number
        self._stages = (_read_ms(received, b"x-queue-time:"), _read_ms(received, b"x-inference-"))

    def hear(self, caller: Caller, status: str, due: float) -> None:
        """Keep an answer that counts, and use its connection for what waits for one."""
        now = perf_counter()
        self.unanswered -= 1
        if status != "200":
            self._errors[status] += 1
        elif due >= self._counts_from:
            self.answers.append(Answer(due, self._sent_at[caller], now, *self._stages))
        if self._waiting:
            self._send(caller, self._waiting.popleft())
        else:
            self._idle.append(caller)
        if not self.unanswered:
            self._counted.set()

    def close(self) -> None:
        """Close the connections."""
        for caller in self._idle:
            caller.close()

    async def run_all(self) -> dict[str, object]:
        """Send, and report."""
        began = process_time()
        await super().run()
        return {
            "answers": [asdict(answer) for answer in self.answers],
            "errors": dict(self._errors),
            "unanswered": self.unanswered,
            "processor_s": process_time() - began,
        }

    async def _run_open(self) -> None:  # type: ignore[override]
        job = self._job
        due = perf_counter()
        self._counts_from = due + job.warm_seconds
        last = self._counts_from + job.seconds
        while (due := due + self._rng.expovariate(job.rate)) < last:
            if (delay := due - perf_counter()) > 0:
                await asyncio.sleep(delay)
            self.unanswered += 1
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._waiting.append(due)
        self._counted.clear()
        if self.unanswered:
            await self._wait_counted(_DRAIN_SECONDS)
        self.is_over = True

    def _send(self, caller: Caller, due: float) -> None:
        self._sent_at[caller] = perf_counter()
        number = self._choices.randrange(len(self._requests))
        caller.send(number, self._requests[number], due)


def _read_ms(received: bytearray, name: bytes) -> float:
    start = received.index(b":", received.index(name)) + 1
    return float(received[start : received.index(b"\r\n", start)]) / 1000


def main() -> None:
    """Do the job that comes in."""
    read = json.load(sys.stdin)
    load = PoissonLoad(Job(**read["job"]), read["seed"])
    # Timers of epoll have a resolution of a millisecond, those of select one of microseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        report = runner.run(load.run_all())
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
