"""The queueing model against queues whose answer is known."""

from math import exp, factorial

import numpy as np
import pytest

from bench.capacity.model import Replica
from bench.capacity.service_times import Atoms, Mix, OverloadError, ServiceTimes


def one_at_a_time(load: float, noise: Atoms | None = None) -> Replica:
    """Return a replica that takes one text a second."""
    return Replica(ServiceTimes(1.0, 0.0, noise=noise or Atoms.just(1.0)), Mix(10), 1, load)


def waited_at_most(seconds: float, load: float) -> float:
    """Return Erlang's distribution of the wait in M/D/1, with a service of one second."""
    terms = (
        (load * (k - seconds)) ** k / factorial(k) * exp(-load * (k - seconds))
        for k in range(int(seconds) + 1)
    )
    return (1 - load) * sum(terms)


@pytest.mark.parametrize("load", [0.3, 0.7, 0.85])
@pytest.mark.parametrize("share", [90, 99])
def test_percentiles_are_those_of_a_queue_with_one_server(load: float, share: int) -> None:
    """M/D/1, Erlang 1909."""
    waited = one_at_a_time(load).percentile(share) - 1
    assert waited_at_most(waited - 0.02, load) <= share / 100 <= waited_at_most(waited + 0.02, load)


def test_mean_follows_from_the_variance() -> None:
    """M/G/1: Pollaczek and Khinchine."""
    noise = Atoms(np.array([0.5, 2.0]), np.array([2 / 3, 1 / 3]))
    replica = one_at_a_time(0.6, noise)
    square = 2 / 3 * 0.25 + 1 / 3 * 4
    assert replica.mean == pytest.approx(1 + 0.6 * square / (2 * 0.4), rel=0.02)
    assert replica.utilisation == pytest.approx(0.6, rel=0.001)
    assert replica.mean_under_way == pytest.approx(0.6 * replica.mean)
    assert replica.mean_waiting == pytest.approx(0.6 * (replica.mean - 1), rel=0.03)


def test_batches_answer_more_than_texts_one_by_one() -> None:
    """What texts share is paid once, and the line is as long as the time of a batch makes it."""
    times = ServiceTimes(0.004, 0.000_1)
    with pytest.raises(OverloadError, match="300"):
        Replica(times, Mix(10), 1, 300)
    replica = Replica(times, Mix(10), 50, 600)
    # The mean batch of an engine that hardly rests: n = rate * (a + b n).
    assert replica.mean_batch == pytest.approx(600 * 0.004 / (1 - 0.6), rel=0.08)
    assert replica.capacity == pytest.approx(50 / (0.004 + 0.05), rel=0.001)


def test_what_requests_take_from_the_engine_lowers_its_capacity() -> None:
    """Full batches take longer the more requests come."""
    replica = Replica(ServiceTimes(0.0, 0.000_1, host_s=0.001), Mix(10), 50, 100)
    # A text takes 1 / (1 - rate / 1000) milliseconds: 500 a second fill half of each second twice.
    assert replica.capacity == pytest.approx(500, rel=0.001)


def test_gaps_and_costs_beside_the_batch_are_waited_for() -> None:
    """At hardly any load a caller waits for its batch and for what is beside it."""
    times = ServiceTimes(
        0.004,
        0.0,
        gap_s=0.002,
        overhead_s=0.001,
        overhead_text_s=0.0005,
        overhead=Atoms.just(0.001),
    )
    replica = Replica(times, Mix(10), 50, 0.01)
    assert replica.percentile(50) == pytest.approx(0.0065, rel=0.03)
    busy = Replica(times, Mix(10), 50, 200)
    assert busy.utilisation > 200 * 0.004 / busy.mean_batch


def test_atoms_keep_the_mean_and_the_tail() -> None:
    """A hundredth of what was seen is not lost in the rest."""
    seen = np.concatenate([np.full(990, 1.0), np.full(10, 9.0)])
    atoms = Atoms.of(seen)
    assert np.dot(atoms.values, atoms.weights) == pytest.approx(seen.mean())
    assert atoms.values.max() == 9.0
