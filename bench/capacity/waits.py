"""Who waits how long: the cycles of a replica, taken apart by who came in them, and when."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.capacity.service_times import Atoms, Floats

if TYPE_CHECKING:
    from bench.capacity.model import Replica

NEGLIGIBLE = 1e-6
_CERTAIN = 1e-6
_CELLS = 8
"""Into how many parts a cycle is cut where it matters who came in which."""


class Waits:
    """Gathers who waits how long, by the size of the batch that each of them runs in."""

    def __init__(self, replica: "Replica") -> None:
        """Have heard of nobody yet."""
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
        cycle = replica.cycles[size] if left < replica.most else replica.batch(size)
        for seconds, share in zip(*cycle, strict=True):
            if weight * share < NEGLIGIBLE:
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
        full = replica.mean_batch_of(most)
        for cell in range(_CELLS):
            past = (cell + 0.5) / _CELLS * seconds
            came = count_events(replica.rate * past, replica.states)
            for batches in range((left + len(came)) // most + 1):
                first = max(0, batches * most - left)
                here = came[first : max(0, (batches + 1) * most - left)]
                if here.sum() < NEGLIGIBLE:
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
        used = np.flatnonzero(sizes > NEGLIGIBLE * sizes.sum())
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
