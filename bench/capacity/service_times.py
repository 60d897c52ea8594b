"""How long a batch takes, and what a request costs beside it: a few figures.

A batch of `tokens` takes `(shared_s + token_s * tokens) / (1 - host_s * rate)`, times a random
factor. `shared_s` is what all of its texts share: reading the weights. `host_s` is what each
request takes from the engine's cores meanwhile: HTTP, tokenizing, and where the load generator is
on the same machine, that as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EDGES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.7, 100)
"""Per cent between which values are taken for one; finer in the tail, which percentiles ask for."""


class Atoms(NamedTuple):
    """A distribution of a few values and their probabilities."""

    values: Floats
    weights: Floats

    @classmethod
    def of(cls, seen: Sequence[float] | Floats) -> "Atoms":
        """Return the mean of each part of what was seen."""
        ordered = np.sort(np.asarray(seen, float))
        cuts = np.unique(np.round(np.array(_EDGES) / 100 * len(ordered)).astype(int))
        parts = [ordered[a:b] for a, b in pairwise(cuts)]
        weights = np.array([len(part) / len(ordered) for part in parts])
        return cls(np.array([part.mean() for part in parts]), weights)

    @classmethod
    def just(cls, value: float) -> "Atoms":
        """Return what is always the same."""
        return cls(np.array([value]), np.array([1.0]))

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """Return random values."""
        return rng.choice(self.values, size=count, p=self.weights)


_ALWAYS = Atoms.just(1.0)
_NOTHING = Atoms.just(0.0)


@dataclass(frozen=True, slots=True)
class Mix:
    """The lengths of the texts that are sent, in tokens."""

    mean: float
    deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """What was fitted; seconds.

    Attributes:
        shared_s: what a batch takes before its first token.
        token_s: what each token adds.
        host_s: what each request a second takes from the engine, as a share of its time.
        noise: what a batch takes, as a factor of the time expected.
        gap_s, gap_text_s: from the end of a batch to the start of the next one where somebody
            waits: a part of its own, and one for each text that was answered meanwhile.
        overhead_s, overhead_text_s: what a request takes beside its queue and its batch, and what
            each text in that batch adds.
        overhead: what it takes beyond that, more or less.
    """

    shared_s: float
    token_s: float
    host_s: float = 0.0
    noise: Atoms = _ALWAYS
    gap_s: float = 0.0
    gap_text_s: float = 0.0
    overhead_s: float = 0.0
    overhead_text_s: float = 0.0
    overhead: Atoms = _NOTHING

    def batch(self, tokens: float | Floats, rate: float) -> float | Floats:
        """Return how long so many tokens are expected to take, at so many requests a second."""
        return (self.shared_s + self.token_s * tokens) / self.stretched(rate)

    def stretched(self, rate: float) -> float:
        """Return the share of its time that the engine has at a rate.

        Raises:
            OverloadError: none.
        """
        left = 1 - self.host_s * rate
        if left <= 0:
            raise OverloadError(rate)
        return left

    def gap(self, texts: float) -> float:
        """Return how long the engine stands still after a batch of so many texts."""
        return max(0.0, self.gap_s + self.gap_text_s * texts)

    def beside(self, texts: float) -> float:
        """Return what a request in a batch of so many texts takes beside it, on average."""
        return max(0.0, self.overhead_s + self.overhead_text_s * texts)

    def batch_of(self, texts: int, mix: Mix, rate: float) -> Atoms:
        """Return the times of a batch of so many texts of a mix.

        The sum of many lengths is nearly normal: two values, a deviation below and above, have its
        mean and its variance.
        """
        spread = mix.deviation * math.sqrt(texts)
        tokens = np.array([max(0.0, mix.mean * texts - spread), mix.mean * texts + spread])
        expected = np.asarray(self.batch(tokens, rate))
        values = np.outer(expected, self.noise.values).ravel()
        return Atoms(values, np.outer((0.5, 0.5), self.noise.weights).ravel())


class OverloadError(ValueError):
    """More is asked for than can be done."""

    def __init__(self, rate: float) -> None:
        """Say what was asked for."""
        super().__init__(f"{rate:.1f} requests/s are more than one replica can answer.")
