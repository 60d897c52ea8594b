"""One replica as a queue: how long its callers wait, computed.

Requests come at random (a Poisson process). While a batch runs they gather; at its end the oldest
run together, at most so many; one that finds nobody waits for nobody. This is the bulk-service
queue of Bailey (1954) with a time of service that depends on the size of the batch, as in Neuts,
"A general class of bulk queues with Poisson input" (1967), for a threshold of one.

Looked at when batches end, the number of those that wait is a Markov chain: from `q` the next batch
is `n = min(max(q, 1), most)`, and `q' = max(q, 1) - n + Poisson(rate * S)`, where `S` is the random
time of a batch of `n`, and of the gap after it, which there is unless a whole batch waits. Its
stationary distribution is solved for as it is.

A caller's wait follows from the cycle in which it comes (Poisson arrivals see time averages, Wolff
1982): it comes at a uniformly random moment of `S`, waits for the rest of it, for the full batches
ahead, and runs in a batch with whoever else came meanwhile. Nothing is approximated but the grid of
time, and where more than a whole batch waits: then the batches ahead take their mean.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.capacity.service_times import Atoms, Floats, Mix, OverloadError, ServiceTimes
from bench.capacity.waits import NEGLIGIBLE, Waits, count_events, poisson

_STEPS = 60
"""How fine the grid of time is: steps for a lone text's batch."""


@dataclass(frozen=True)
class Replica:
    """One engine, the texts it gets, and how many requests of one text come a second.

    Attributes:
        times: how long its batches take.
        mix: the lengths of the texts.
        most: the texts that one batch may hold.
        rate: requests a second.
    """

    times: ServiceTimes
    mix: Mix
    most: int
    rate: float

    def __post_init__(self) -> None:
        """Refuse what no queue can stand.

        Raises:
            OverloadError: more comes than full batches can do.
        """
        if self.rate * self.mean_batch_of(self.most) >= self.most:
            raise OverloadError(self.rate)

    @property
    def capacity(self) -> float:
        """The most requests a second, all batches full, with what they take from the engine."""
        times, rate = self.times, 0.0
        # What full batches give at a rate falls with it: the rate that they give is their own.
        low, high = 0.0, 1e9 if times.host_s == 0 else 1 / times.host_s
        for _ in range(80):
            rate = (low + high) / 2
            # Never at the pole itself.
            cycle = self.mean_batch_of(self.most, min(rate, 0.999_999 * high))
            low, high = (rate, high) if rate < self.most / cycle else (low, rate)
        return rate

    @cached_property
    def waiting(self) -> Floats:
        """The probability that so many wait when a cycle ends."""
        states = self.states
        moves = np.zeros((states, states))
        for queue in range(states):
            size, left = self.next_batch(queue)
            came = self._arrivals_until_next(size, left)[: states - left]
            moves[queue, left : left + len(came)] = came
            moves[queue, -1] += max(0.0, 1 - moves[queue].sum())
        # One equation says nothing that the others do not; the sum takes its place.
        system = moves.T - np.eye(states)
        system[-1] = 1
        return np.maximum(np.linalg.solve(system, np.eye(states)[-1]), 0)

    @property
    def mean_batch(self) -> float:
        """Texts in a batch, on average."""
        sizes = [self.next_batch(queue)[0] for queue in range(self.states)]
        return float(np.dot(self.waiting, sizes))

    @property
    def utilisation(self) -> float:
        """The share of time in which the engine runs or hands over."""
        cycle = sum(
            weight * (self.mean_cycle(size) if left < self.most else self.mean_batch_of(size))
            for weight, (size, left) in zip(
                self.waiting, map(self.next_batch, range(self.states)), strict=True
            )
        )
        return float(cycle / (cycle + self.waiting[0] / self.rate))

    def percentile(self, share: float) -> float:
        """Return what so many per cent of the callers wait at most, in seconds."""
        density = self._latency
        index = int(np.searchsorted(np.cumsum(density) / density.sum(), share / 100))
        return (index + 1) * self.step

    @property
    def mean(self) -> float:
        """What callers wait on average, in seconds."""
        density = self._latency
        return float(np.dot(density, np.arange(len(density)) + 0.5) * self.step / density.sum())

    @property
    def mean_waiting(self) -> float:
        """Requests in the line, on average over time (Little 1961)."""
        return self.rate * self._waits.mean

    @property
    def mean_under_way(self) -> float:
        """Requests in the line, in a batch and beside both, on average over time."""
        return self.rate * self.mean

    @property
    def states(self) -> int:
        """How long the line is that is looked at: what is longer is taken for the longest."""
        return max(4 * self.most, 300)

    def next_batch(self, queue: int) -> tuple[int, int]:
        """Return the size of the batch that begins, and how many still wait."""
        size = min(max(queue, 1), self.most)
        return size, max(queue, 1) - size

    def mean_batch_of(self, texts: int, rate: float | None = None) -> float:
        """Return how long a batch of so many texts takes on average."""
        atoms = self.times.batch_of(texts, self.mix, self.rate if rate is None else rate)
        return float(np.dot(atoms.values, atoms.weights))

    def mean_cycle(self, texts: int) -> float:
        """Return how long a batch of so many texts and the gap after it take on average."""
        return self.mean_batch_of(texts) + self.times.gap(texts)

    @cached_property
    def cycles(self) -> list[Atoms]:
        """The times of a batch and the gap after it, by its size."""
        batches = [self.batch(size) for size in range(self.most + 1)]
        return [
            Atoms(batch.values + self.times.gap(size), batch.weights)
            for size, batch in enumerate(batches)
        ]

    def batch(self, size: int) -> Atoms:
        """Return how long a batch of so many texts takes."""
        return self.times.batch_of(max(size, 1), self.mix, self.rate)

    @cached_property
    def _arrivals(self) -> list[Floats]:
        """How many come while a batch runs, by its size."""
        batches = [self.batch(size) for size in range(self.most + 1)]
        return [weights @ poisson(self.rate * values, self.states) for values, weights in batches]

    def _arrivals_until_next(self, size: int, left: int) -> Floats:
        """Return how many come until the next batch begins, after one that left so many.

        Where a whole batch waits, it was handed over ahead, and begins at once.
        """
        came = self._arrivals[size]
        few = max(0, self.most - left)
        later = count_events(self.rate * self.times.gap(size), self.states)
        until = np.convolve(came[:few], later) if few else np.zeros(1)
        length = max(len(until), len(came))
        until = np.pad(until, (0, length - len(until)))
        until[few : len(came)] += came[few:]
        return until

    @cached_property
    def step(self) -> float:
        """The grid of time, in seconds."""
        return self.mean_batch_of(1) / _STEPS

    @cached_property
    def _waits(self) -> Waits:
        waits = Waits(self)
        for queue, weight in enumerate(self.waiting):
            if weight > NEGLIGIBLE:
                waits.add_cycle(queue, weight)
        return waits

    @cached_property
    def _latency(self) -> Floats:
        """The density of what callers wait, on the grid, weighted by how many there are."""
        return self._waits.finish()
