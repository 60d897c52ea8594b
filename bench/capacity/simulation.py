"""Many replicas, event by event, each with the line of the real scheduler.

What is simulated is the time: of batches, of gaps between them, of what requests take beside them.
Who runs with whom, who is let in and who is not, `WaitingLine` decides, as in a server.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simpy

from bench.capacity.routing import Router
from bench.capacity.service_times import Floats, ServiceTimes
from service.errors.exceptions import QueueFullError
from service.scheduling.batch_records import BatchLimits
from service.scheduling.waiting_line import WaitingLine

_AHEAD = 1
"""How many full batches a server hands over while another one runs."""


@dataclass(slots=True, eq=False)
class Text:
    """One request of one text."""

    length: int
    came: float
    ingress: int = 0
    is_gone: bool = False


class SimulatedReplica:
    """An engine and the line in front of it."""

    def __init__(
        self,
        environment: simpy.Environment,
        limits: BatchLimits,
        take_seconds: Callable[[int], float],
        gap: Callable[[int], float],
        answer: Callable[[list[Text]], None],
    ) -> None:
        """Stand ready.

        Args:
            environment: the time.
            limits: how much may run together and wait.
            take_seconds: how long a batch of so many tokens takes.
            gap: how long the engine stands still after so many texts.
            answer: called with each batch that ended.
        """
        self._environment = environment
        self._take_seconds = take_seconds
        self._gap = gap
        self._answer = answer
        self._line: WaitingLine[Text] = WaitingLine(limits, _AHEAD)
        self._handed: deque[tuple[list[Text], float]] = deque()
        self.under_way = 0
        self.busy_seconds = 0.0
        self.batches = 0

    def submit(self, text: Text, within_s: float) -> None:
        """Queue a text.

        Raises:
            QueueFullError: it does not fit, or could not be done in time.
        """
        self._line.require_room(1, text.length, within_s)
        self._line.join([text])
        self.under_way += 1
        self._hand_over()

    def _hand_over(self) -> None:
        while batch := self._line.take(len(self._handed)):
            self._handed.append((batch, self._environment.now))
            self._line.begin(sum(text.length for text in batch))
            if len(self._handed) == 1:
                self._run()

    def _run(self) -> None:
        batch, _ = self._handed[0]
        seconds = self._take_seconds(sum(text.length for text in batch))
        self.busy_seconds += seconds
        self._after(seconds, self._end)

    def _end(self, _: simpy.Event) -> None:
        batch, started = self._handed[0]
        tokens = sum(text.length for text in batch)
        self._line.end(tokens)
        self._line.learn(tokens, started, self._environment.now)
        self.under_way -= len(batch)
        self.batches += 1
        self._answer(batch)
        if len(self._handed) > 1:
            # What was handed over ahead waits for no answers to be written.
            self._free_engine()
        else:
            self._after(self._gap(len(batch)), self._free_engine)

    def _free_engine(self, _: simpy.Event | None = None) -> None:
        self._handed.popleft()
        if self._handed:
            self._run()
        self._hand_over()

    def _after(self, seconds: float, act: Callable[[simpy.Event], None]) -> None:
        if not seconds:
            act(self._environment.event())
            return
        timeout = self._environment.timeout(seconds)
        assert timeout.callbacks is not None  # noqa: S101  # nosec B101  # it is not over yet
        timeout.callbacks.append(act)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is simulated.

    Attributes:
        replicas: how many there are.
        ingresses: how many choose among them, each with a memory of its own.
        rate: requests a second for each replica, on average.
        times: how long batches take.
        lengths: of the texts, in tokens; any of them is as likely.
        limits: of every replica.
        within_s: how long callers wait.
    """

    replicas: int
    ingresses: int
    rate: float
    times: ServiceTimes
    lengths: Sequence[int]
    limits: BatchLimits
    within_s: float = 30.0


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        seconds: what each caller waited, of those that came after the start was over.
        refused: how many were not let in.
        mean_batch: texts in a batch, on average.
        utilisation: the share of time in which engines ran.
    """

    seconds: Floats
    refused: int
    mean_batch: float
    utilisation: float

    def percentile(self, share: float) -> float:
        """Return what so many per cent of the callers waited at most, in seconds."""
        return float(np.percentile(self.seconds, share))


class Simulation:
    """One fleet under a load of random arrivals."""

    def __init__(
        self,
        fleet: Fleet,
        router: Callable[[Sequence[SimulatedReplica], int, random.Random], Router],
        seed: int = 0,
    ) -> None:
        """Put the parts together; the same seed gives the same arrivals."""
        self._fleet = fleet
        self._rng = np.random.default_rng(seed)
        self._environment = simpy.Environment()
        self._noise = self._draw_noise()
        self._replicas = [self._make_replica(index) for index in range(fleet.replicas)]
        chance = random.Random(seed)  # noqa: S311  # nosec B311  # the same every time
        self._router = router(self._replicas, fleet.ingresses, chance)
        self._answered: list[tuple[Text, float]] = []
        self._refused = 0

    def run(self, requests: int, warm: float = 0.2) -> Outcome:
        """Simulate so many requests; the first of them, a share of `warm`, do not count."""
        fleet, rng = self._fleet, self._rng
        came = np.cumsum(rng.exponential(1 / (fleet.rate * fleet.replicas), requests))
        lengths = rng.choice(np.asarray(fleet.lengths), requests)
        ingresses = rng.integers(fleet.ingresses, size=requests)
        rows = zip(lengths.tolist(), came.tolist(), ingresses.tolist(), strict=True)
        self._environment.process(self._arrive(Text(*row) for row in rows))
        self._environment.run()
        return self._describe(came[int(warm * requests)], came[-1])

    def _arrive(self, texts: Iterable[Text]) -> Iterator[simpy.Event]:
        for text in texts:
            yield self._environment.timeout(max(0.0, text.came - self._environment.now))
            index = self._router.choose(text.ingress)
            try:
                self._replicas[index].submit(text, self._fleet.within_s)
            except QueueFullError:
                self._refused += 1
            else:
                self._router.hear_sent(text.ingress, index)

    def _make_replica(self, index: int) -> SimulatedReplica:
        fleet = self._fleet

        def take_seconds(tokens: int) -> float:
            return float(fleet.times.batch(tokens, fleet.rate)) * next(self._noise)

        def answer(batch: list[Text]) -> None:
            beside = self._environment.now + fleet.times.beside(len(batch))
            for text in batch:
                self._answered.append((text, beside - text.came))
                self._router.hear_answered(text.ingress, index)

        return SimulatedReplica(
            self._environment, fleet.limits, take_seconds, fleet.times.gap, answer
        )

    def _draw_noise(self) -> Iterator[float]:
        while True:
            yield from self._fleet.times.noise.draw(self._rng, 4096).tolist()

    def _describe(self, first: float, last: float) -> Outcome:
        seconds = np.array([waited for text, waited in self._answered if text.came >= first])
        seconds += self._fleet.times.overhead.draw(self._rng, len(seconds))
        batches = sum(replica.batches for replica in self._replicas)
        busy = sum(replica.busy_seconds for replica in self._replicas)
        return Outcome(
            seconds=np.maximum(seconds, 0),
            refused=self._refused,
            mean_batch=len(self._answered) / batches,
            utilisation=busy / (last * len(self._replicas)),
        )
