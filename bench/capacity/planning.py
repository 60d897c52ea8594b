"""How much one replica may be given, and so how many a load takes."""

import math
from dataclasses import dataclass

from bench.capacity.rates import Rates
from bench.capacity.service_times import OverloadError

_HALVINGS = 10
_MOST_SHARE = 0.97
"""Of what a replica can do: beyond that a queue takes minutes to settle."""


class ImpossibleError(ValueError):
    """No number of replicas does what is asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one replica is to be given.

    Attributes:
        replicas: how many are needed.
        rate: requests a second for each of them.
        capacity: the most requests a second that one could answer.
        p99: what one in a hundred callers waits for longer, in seconds.
        batch: texts in a batch, on average.
        waiting: texts in the line, on average: an autoscaler's target for `fill_mask_queue_size`.
        under_way: requests in it, on average: Ray Serve's `target_ongoing_requests`.
    """

    replicas: int
    rate: float
    capacity: float
    p99: float
    batch: float
    waiting: float
    under_way: float


def plan(rates: Rates, rate: float, p99_s: float, spare: int = 0) -> Plan:
    """Return how many replicas answer a rate, each request sent to any of them at random.

    Args:
        rates: of one replica.
        rate: requests of one text a second, all together.
        p99_s: what at most one in a hundred may wait for longer.
        spare: replicas that may fail or be replaced while all of that still holds.

    Raises:
        ImpossibleError: a lone request takes longer than that already.
    """
    each = find_rate(rates, p99_s)
    needed = max(1, math.ceil(rate / each))
    replica = rates.replica(rate / needed)
    return Plan(
        needed + spare,
        rate / needed,
        rates.capacity,
        replica.percentile(99),
        replica.mean_batch,
        replica.mean_waiting,
        replica.mean_under_way,
    )


def find_rate(rates: Rates, p99_s: float) -> float:
    """Return the most requests a second that one replica answers with that 99th percentile.

    Raises:
        ImpossibleError: a lone request takes longer than that already.
    """
    low, high = 0.0, _MOST_SHARE * rates.capacity
    least = rates.replica(high / 1000).percentile(99)
    if least > p99_s:
        message = (
            f"A request that meets nobody has a 99th percentile of {1e3 * least:.1f} ms; ask for "
            "more than that, or take a smaller model or more cores for each replica."
        )
        raise ImpossibleError(message)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _p99(rates, middle) <= p99_s else (low, middle)
    return low


def _p99(rates: Rates, rate: float) -> float:
    try:
        return rates.replica(rate).percentile(99)
    except OverloadError:
        return math.inf
