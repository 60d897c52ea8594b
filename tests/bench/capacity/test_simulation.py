"""The simulation is the scheduler's, and agrees with what can be computed."""

import asyncio
import random
from collections.abc import Iterator
from operator import itemgetter

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.capacity.model import Replica
from bench.capacity.routing import ROUTERS, RandomRouter, StaleTwoChoicesRouter
from bench.capacity.service_times import Atoms, Mix, ServiceTimes
from bench.capacity.simulation import Fleet, SimulatedReplica, Simulation, Text
from fakes import HeldCalls, ManualClock, run_in_batches, settle
from service.errors.exceptions import QueueFullError
from service.scheduling.batch_records import BatchLimits
from service.scheduling.batching import MicroBatcher

LIMITS = BatchLimits(max_batch_size=4, max_batch_tokens=24, max_queue_size=14)
WITHIN_S = 13.0

Item = tuple[int, int]  # a number of its own, and a length
Ran = list[tuple[float, list[int]]]  # when batches ended, and who was in them

ARRIVALS = st.lists(st.tuples(st.floats(0.01, 0.8), st.integers(1, 15)), min_size=1, max_size=60)


def take_seconds(tokens: int) -> float:
    """Return a time that no sum of others equals."""
    return 0.513_7 + 0.111_3 * tokens


def simulate(arrivals: list[tuple[float, int]]) -> tuple[Ran, set[int]]:
    """Return the batches of a simulated replica, and who was refused."""
    environment = simpy.Environment()
    ran: Ran = []
    refused = set()
    numbers: dict[Text, int] = {}

    def answer(batch: list[Text]) -> None:
        ran.append((environment.now, [numbers[text] for text in batch]))

    replica = SimulatedReplica(environment, LIMITS, take_seconds, lambda _: 0.0, answer)

    def arrive() -> Iterator[simpy.Event]:
        for number, (pause, length) in enumerate(arrivals):
            yield environment.timeout(pause)
            text = Text(length, environment.now)
            numbers[text] = number
            try:
                replica.submit(text, WITHIN_S)
            except QueueFullError:
                refused.add(number)

    environment.process(arrive())
    environment.run()
    return ran, refused


async def schedule(arrivals: list[tuple[float, int]]) -> tuple[Ran, set[int]]:
    """Return the same of the server's batcher; clock and engine are moved by hand."""
    clock, run = ManualClock(), HeldCalls[list[Item], list[int]]()
    batcher: MicroBatcher[Item, int] = MicroBatcher(
        run_in_batches(run, itemgetter(1)),
        length=itemgetter(1),
        limits=LIMITS,
        clock=clock,
        ahead=1,
    )
    ran: Ran = []
    began = 0.0

    async def run_until(until: float) -> None:
        nonlocal began
        while run.pending:
            batch = run.pending[0].argument
            ended = began + take_seconds(sum(length for _, length in batch))
            if ended > until:
                return
            clock.advance(ended - clock())
            run.pending[0].succeed([number for number, _ in batch])
            ran.append((ended, [number for number, _ in batch]))
            began = ended
            await settle()

    callers = []
    at = 0.0
    for number, (pause, length) in enumerate(arrivals):
        at += pause
        await run_until(at)
        clock.advance(at - clock())
        began = began if run.pending else at
        callers.append(asyncio.create_task(batcher.submit([(number, length)], WITHIN_S)))
        await settle()
    await run_until(float("inf"))
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    refused = {
        number for number, outcome in enumerate(outcomes) if isinstance(outcome, QueueFullError)
    }
    await batcher.close()
    return ran, refused


@settings(deadline=None, max_examples=60)
@given(ARRIVALS)
def test_simulated_replica_runs_the_batches_of_the_real_one(
    arrivals: list[tuple[float, int]],
) -> None:
    """The same texts together, at the same times, and the same ones refused."""
    simulated, refused = simulate(arrivals)
    real, really_refused = asyncio.run(schedule(arrivals))
    assert [batch for _, batch in simulated] == [batch for _, batch in real]
    assert [at for at, _ in simulated] == pytest.approx([at for at, _ in real])
    assert refused == really_refused


def test_law_above_meets_full_batches_and_refusals() -> None:
    """A law that only ever saw an idle replica would say nothing."""
    crowd = [(0.05, 3)] * 40
    ran, refused = simulate(crowd)
    assert max(len(batch) for _, batch in ran) == LIMITS.max_batch_size
    assert refused


def fleet(rate: float, replicas: int = 1, most: int = 256, **times: float) -> Fleet:
    """Return replicas that get texts of ten tokens."""
    service = ServiceTimes(**{"shared_s": 0.004, "token_s": 0.000_1} | times)
    limits = BatchLimits(most, 10_000, 100_000)
    return Fleet(replicas, 2, rate, service, [10], limits, within_s=1e9)


def test_single_texts_wait_as_in_a_queue_with_one_server() -> None:
    """M/D/1: the mean is that of Pollaczek and Khinchine."""
    outcome = Simulation(fleet(140, most=1), RandomRouter).run(40_000)
    load = 140 * 0.005
    assert outcome.seconds.mean() == pytest.approx(0.005 * (1 + load / (2 * (1 - load))), rel=0.05)
    assert outcome.mean_batch == 1
    assert outcome.utilisation == pytest.approx(load, rel=0.03)


def test_batches_wait_as_the_model_says() -> None:
    """Random times of service, gaps and costs beside the batch included."""
    noise = Atoms(np.array([0.8, 1.1, 1.6]), np.array([0.5, 0.4, 0.1]))
    some = fleet(500, noise=noise, gap_s=0.0005, gap_text_s=0.0001, overhead_s=0.001)  # type: ignore[arg-type]
    outcome = Simulation(some, RandomRouter).run(40_000)
    replica = Replica(some.times, Mix(10), 256, 500)
    for share in (50, 99):
        assert outcome.percentile(share) == pytest.approx(replica.percentile(share), rel=0.06)
    assert outcome.mean_batch == pytest.approx(replica.mean_batch, rel=0.03)


def test_who_knows_more_waits_less() -> None:
    """Random, then a memory, then two fresh loads, then all of them."""
    p99s = [
        Simulation(fleet(500, 20), router).run(30_000).percentile(99) for router in ROUTERS.values()
    ]
    assert p99s == sorted(p99s, reverse=True)


class Stub:
    """A replica with so much under way."""

    def __init__(self, under_way: int) -> None:
        """Have that much."""
        self.under_way = under_way


def test_memory_hears_of_its_own_requests_only() -> None:
    """What a replica told, less the answers since; what others sent there is news."""
    busy, idle = Stub(0), Stub(0)
    chance = random.Random(0)  # noqa: S311  # the same every time
    router = StaleTwoChoicesRouter([busy, idle], 2, chance)
    busy.under_way = 9
    router.hear_sent(0, 0)
    assert {router.choose(0) for _ in range(20)} == {1}
    assert {router.choose(1) for _ in range(20)} == {0, 1}
    for _ in range(12):
        router.hear_answered(0, 0)
    assert {router.choose(0) for _ in range(20)} == {0, 1}
