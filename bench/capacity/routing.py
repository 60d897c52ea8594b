"""Who chooses the replica of a request, and what it knows of them then."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np


class Loaded(Protocol):
    """A replica, as those see it who choose."""

    @property
    def under_way(self) -> int:
        """The requests that wait in it or run."""
        ...


class Router(Protocol):
    """Chooses, and hears what became of it; `ingress` says whose choice it is."""

    def choose(self, ingress: int) -> int:
        """Return the index of a replica."""
        ...

    def hear_sent(self, ingress: int, index: int) -> None:
        """Hear that a replica took the request."""
        ...

    def hear_answered(self, ingress: int, index: int) -> None:
        """Hear that a replica answered a request."""
        ...


class RandomRouter:
    """Knows nothing: what a layer 4 balancer does with many connections."""

    def __init__(self, replicas: Sequence[Loaded], ingresses: int, rng: random.Random) -> None:
        """Choose among replicas."""
        del ingresses
        self._replicas = replicas
        self._rng = rng

    def choose(self, ingress: int) -> int:
        """Return any."""
        del ingress
        return self._rng.randrange(len(self._replicas))

    def hear_sent(self, ingress: int, index: int) -> None:
        """Forget it."""

    def hear_answered(self, ingress: int, index: int) -> None:
        """Forget it."""


class TwoChoicesRouter(RandomRouter):
    """Takes the less loaded of two, and knows the load of both as it is (Mitzenmacher 2001)."""

    def choose(self, ingress: int) -> int:
        """Return the better of two."""
        count = len(self._replicas)
        first = self._rng.randrange(count)
        if count == 1:
            return first
        second = (first + 1 + self._rng.randrange(count - 1)) % count
        return first if self._load(ingress, first) <= self._load(ingress, second) else second

    def _load(self, ingress: int, index: int) -> int:
        del ingress
        return self._replicas[index].under_way


class StaleTwoChoicesRouter(TwoChoicesRouter):
    """The same with what an ingress remembers, as Ray Serve's does.

    A replica tells its load when it takes a request; from then on the ingress counts its own
    answers down, and hears nothing of what others send there.
    """

    def __init__(self, replicas: Sequence[Loaded], ingresses: int, rng: random.Random) -> None:
        """Remember nothing yet."""
        super().__init__(replicas, ingresses, rng)
        self._remembered = np.zeros((ingresses, len(replicas)), np.int32)

    def hear_sent(self, ingress: int, index: int) -> None:
        """Remember what the replica tells."""
        self._remembered[ingress, index] = self._replicas[index].under_way

    def hear_answered(self, ingress: int, index: int) -> None:
        """Count one less."""
        self._remembered[ingress, index] = max(0, self._remembered[ingress, index] - 1)

    def _load(self, ingress: int, index: int) -> int:
        return int(self._remembered[ingress, index])


class LeastLoadedRouter(RandomRouter):
    """Knows the load of all of them as it is: nobody does, and nobody does better."""

    def __init__(self, replicas: Sequence[Loaded], ingresses: int, rng: random.Random) -> None:
        """Keep the loads of all side by side."""
        super().__init__(replicas, ingresses, rng)
        self._loads = np.zeros(len(replicas), np.int32)

    def choose(self, ingress: int) -> int:
        """Return one of those with the least to do."""
        del ingress
        least = np.flatnonzero(self._loads == self._loads.min())
        return int(least[self._rng.randrange(len(least))])

    def hear_sent(self, ingress: int, index: int) -> None:
        """Count one more."""
        del ingress
        self._loads[index] += 1

    def hear_answered(self, ingress: int, index: int) -> None:
        """Count one less."""
        del ingress
        self._loads[index] -= 1


ROUTERS: dict[str, Callable[[Sequence[Loaded], int, random.Random], Router]] = {
    "random": RandomRouter,
    "two choices, stale": StaleTwoChoicesRouter,
    "two choices, fresh": TwoChoicesRouter,
    "least loaded": LeastLoadedRouter,
}
