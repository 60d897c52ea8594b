"""One replica as a queue: how long its callers wait, computed.

Requests come at random (a Poisson process). While a batch runs they gather; at its end the oldest
run together, at most so many; one that finds nobody waits for nobody. This is the bulk-service
queue of Bailey (1954) with a time of service that depends on the size of the batch, as in Neuts,
"A general class of bulk queues with Poisson input" (1967), for a threshold of one.

Looked at when batches end, the number of those that wait is a Markov chain: from `q` the next batch
is `n = min(max(q, 1), most)`, and `q' = max(q, 1) - n + Poisson(rate * S)`, where `S` is the random
time of a batch of `n` and of the gap after it. Its stationary distribution is solved for as it is.

A caller's wait follows from the cycle in which it comes (Poisson arrivals see time averages, Wolff
1982): it comes at a uniformly random moment of `S`, waits for the rest of it, for the full batches
ahead, and runs in a batch with whoever else came meanwhile. Nothing is approximated but the grid of
time, and where more than a whole batch waits: then the batches ahead take their mean.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from bench.capacity.service_times import Atoms, Floats, Mix, OverloadError, ServiceTimes

_CELLS = 8
"""Into how many parts a cycle is cut where it matters who came in which."""
_NEGLIGIBLE = 1e-6
_CERTAIN = 1e-6
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
        if self.rate * self.mean_cycle(self.most) >= self.most:
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
            cycle = self._mean_batch(self.most, min(rate, 0.999_999 * high)) + times.gap(self.most)
            low, high = (rate, high) if rate < self.most / cycle else (low, rate)
        return rate

    @cached_property
    def waiting(self) -> Floats:
        """The probability that so many wait when a cycle ends."""
        states = self.states
        moves = np.zeros((states, states))
        for queue in range(states):
            size, left = self.next_batch(queue)
            came = self._arrivals[size][: states - left]
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
            weight * self.mean_cycle(self.next_batch(queue)[0])
            for queue, weight in enumerate(self.waiting)
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

    def _mean_batch(self, texts: int, rate: float | None = None) -> float:
        atoms = self.times.batch_of(texts, self.mix, self.rate if rate is None else rate)
        return float(np.dot(atoms.values, atoms.weights))

    def mean_cycle(self, texts: int) -> float:
        """Return how long a batch of so many texts and the gap after it take on average."""
        return self._mean_batch(texts) + self.times.gap(texts)

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
        """How many come in a cycle, by the size of its batch."""
        return [
            weights @ poisson(self.rate * values, self.states) for values, weights in self.cycles
        ]

    @cached_property
    def step(self) -> float:
        """The grid of time, in seconds."""
        return self._mean_batch(1) / _STEPS

    @cached_property
    def _waits(self) -> "_Waits":
        waits = _Waits(self)
        for queue, weight in enumerate(self.waiting):
            if weight > _NEGLIGIBLE:
                waits.add_cycle(queue, weight)
        return waits

    @cached_property
    def _latency(self) -> Floats:
        """The density of what callers wait, on the grid, weighted by how many there are."""
        return self._waits.finish()


class _Waits:
    """Gathers who waits how long, by the size of the batch that each of them runs in."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        longest = replica.cycles[replica.most].values.max()
        batches = replica.states / replica.most + 2
        self._step = replica.step
        self._edges = np.arange(int(batches * longest / self._step) + 2) * self._step
        self._by_size = np.zeros((replica.most + 1, len(self._edges) - 1))

    @property
    def mean(self) -> float:
        """The mean time in the line, in seconds."""
        density = self._by_size.sum(axis=0)
        middles = np.arange(len(density)) + 0.5
        middles[0] = 0
        return float(np.dot(density, middles) * self._step / density.sum())

    def add_cycle(self, queue: int, weight: float) -> None:
        """Add those that come in the cycles which begin with so many in the line."""
        replica = self._replica
        size, left = replica.next_batch(queue)
        if queue == 0:
            self._by_size[1, 0] += weight
        cycle = replica.cycles[size]
        for seconds, share in zip(*cycle, strict=True):
            if weight * share < _NEGLIGIBLE:
                continue
            expected = weight * share * replica.rate * seconds
            came = count_events(replica.rate * seconds, replica.states)
            if came[max(0, replica.most - left) :].sum() < _CERTAIN:
                self._add(0, seconds, expected * self._sizes(left, came))
            else:
                self._add_crowded(left, seconds, expected)

    def _sizes(self, ahead: int, behind: Floats) -> Floats:
        """Return how large the batch of a caller is, with so many ahead, and behind at random."""
        most = self._replica.most
        sizes = np.zeros(most + 1)
        first = min(ahead + 1, most)
        fitting = behind[: most - first]
        sizes[first : first + len(fitting)] = fitting
        sizes[most] += max(0.0, behind.sum() - fitting.sum())
        return sizes

    def _add_crowded(self, left: int, seconds: float, expected: float) -> None:
        """Add callers of whom some must let a full batch go first."""
        replica, most = self._replica, self._replica.most
        full = replica.mean_cycle(most)
        for cell in range(_CELLS):
            past = (cell + 0.5) / _CELLS * seconds
            came = count_events(replica.rate * past, replica.states)
            for batches in range((left + len(came)) // most + 1):
                first = max(0, batches * most - left)
                here = came[first : max(0, (batches + 1) * most - left)]
                if here.sum() < _NEGLIGIBLE:
                    continue
                longer = seconds - past + batches * full
                behind = count_events(replica.rate * longer, replica.states)
                ahead = left + first - batches * most
                sizes = self._sizes(ahead, np.convolve(here, behind))
                start = (1 - (cell + 1) / _CELLS) * seconds + batches * full
                self._add(start, seconds / _CELLS, expected / _CELLS * sizes)

    def _add(self, start: float, width: float, sizes: Floats) -> None:
        """Add waits that are uniform from `start` on."""
        first = int(start / self._step)
        edges = self._edges[first : int((start + width) / self._step) + 2]
        density = np.diff(np.clip((edges - start) / width, 0, 1))
        used = np.flatnonzero(sizes > _NEGLIGIBLE * sizes.sum())
        self._by_size[used, first : first + len(density)] += np.outer(sizes[used], density)

    def finish(self) -> Floats:
        """Return all of them, with their own batch and what a request takes beside it."""
        total = np.zeros(2 * self._by_size.shape[1])
        times = self._replica.times
        for size in np.flatnonzero(self._by_size.sum(axis=1)):
            batch = self._replica.batch(int(size))
            values = batch.values + times.beside(float(size))
            total += self._shift(self._by_size[size], Atoms(values, batch.weights), len(total))
        return self._shift(total, times.overhead, len(total))

    def _shift(self, density: Floats, by: Atoms, length: int) -> Floats:
        """Return a density with random values added; none falls below zero."""
        shifted = np.zeros(length)
        for value, weight in zip(*by, strict=True):
            steps = round(value / self._step)
            if steps < 0:
                shifted[: length + steps][: len(density)] += weight * density[-steps:][:length]
                shifted[0] += weight * density[:-steps].sum()
            else:
                kept = density[: length - steps]
                shifted[steps : steps + len(kept)] += weight * kept
        return shifted


def poisson(means: Floats, most: int) -> Floats:
    """Return the probabilities of 0, 1, ... events, a row a mean; `most` columns at most."""
    largest = float(means.max())
    numbers = np.arange(min(most, int(largest + 9 * largest**0.5) + 12))
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.maximum(numbers[1:], 1)))))
    means = np.maximum(means, 1e-300)[:, None]
    return np.exp(numbers * np.log(means) - means - logs)


@lru_cache(maxsize=20_000)
def count_events(mean: float, most: int) -> Floats:
    """Return the probabilities of 0, 1, ... events; many cycles ask for the same."""
    return poisson(np.array([mean]), most)[0]
