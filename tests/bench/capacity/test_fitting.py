"""What was put into observations comes out of the fit, and into a plan."""

import asyncio
import io
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.capacity.comparison import compare, write_table
from bench.capacity.fitting import TooFewBatchesError, fit
from bench.capacity.observations import Batch, Observations, Run
from bench.capacity.planning import ImpossibleError, find_rate, plan
from bench.capacity.poisson_load import Answer, PoissonLoad
from bench.capacity.rates import Rates, of_observations, read_rates, write_rates
from bench.capacity.service_times import ServiceTimes
from bench.capacity.watched_server import write_batches
from bench.load import Job
from service.scheduling.batch_records import BatchRecord
from service.telemetry.metrics import Metrics

TIMES = ServiceTimes(
    0.004,
    0.000_05,
    host_s=0.000_5,
    gap_s=0.000_2,
    gap_text_s=0.000_1,
    overhead_s=0.001,
    overhead_text_s=0.000_2,
)
BEFORE_S = 0.000_6


def observe(rates: list[float]) -> Observations:
    """Return what a server with those times would show: batches of 1 to 12 texts in a row."""
    rng = np.random.default_rng(3)
    runs, batches, now = [], [], 100.0
    for rate in rates:
        answers = []
        for size in rng.integers(1, 13, 300).tolist():
            lengths = rng.integers(6, 40, size)
            seconds = float(TIMES.batch(float(lengths.sum()), rate)) * rng.uniform(0.9, 1.1)
            ended = now + seconds
            # Every fourth is handed over while the one before it runs, and says so.
            early = 0.004 if len(batches) % 4 == 3 else 0.0
            seconds += early
            batches.append(Batch(ended, size, float(lengths.sum()), 0.010, seconds))
            received = ended + TIMES.beside(size) - BEFORE_S
            due = now - early - 0.010 - BEFORE_S
            answers += [Answer(due, due, received, 0.010, round(seconds, 6))] * size
            now = ended + (0.0 if len(batches) % 4 == 3 else TIMES.gap(size))
        runs.append(Run(rate / 1000, rate, now, answers, 0))
        now += 10
    return Observations({"machine": "none", "before": "0"}, 1000.0, [10, 30], runs, batches)


@pytest.fixture(scope="module")
def rates() -> Rates:
    """Return what was fitted to it."""
    seen = observe([100, 300, 500])
    return of_observations(seen, fit(seen, seen.runs), 1024)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("shared_s", 0.06),
        ("token_s", 0.06),
        ("host_s", 0.2),
        ("gap_s", 0.01),
        ("gap_text_s", 0.01),
        ("overhead_s", 0.02),
        ("overhead_text_s", 0.02),
    ],
)
def test_figures_are_found_again(rates: Rates, name: str, tolerance: float) -> None:
    """Within what the noise leaves."""
    assert getattr(rates.times, name) == pytest.approx(getattr(TIMES, name), rel=tolerance)


def test_noise_is_that_of_the_batches(rates: Rates) -> None:
    """Factors about one, as wide as what was put in."""
    noise = rates.times.noise
    assert np.dot(noise.values, noise.weights) == pytest.approx(1, rel=0.02)
    assert noise.values.min() == pytest.approx(0.9, rel=0.04)
    assert noise.values.max() == pytest.approx(1.1, rel=0.04)


def test_rates_are_read_as_they_were_kept(rates: Rates, tmp_path: Path) -> None:
    """A plan from a file is the plan from the measurement."""
    kept = read_rates(write_rates(rates, tmp_path))
    assert kept.limits == rates.limits
    again, before = kept.replica(300), rates.replica(300)
    assert again.percentile(99) == pytest.approx(before.percentile(99), rel=1e-4)


def test_plan_keeps_its_promise(rates: Rates) -> None:
    """The rate of each is one that holds the percentile, and a little more would not."""
    each = find_rate(rates, 0.025)
    found = plan(rates, 5000, 0.025, spare=1)
    assert found.p99 <= 0.025
    assert found.replicas == -(-5000 // each) + 1
    assert rates.replica(1.05 * each).percentile(99) > 0.025
    assert 0 < found.waiting < found.under_way


def test_impossible_wish_is_refused_with_what_is_possible(rates: Rates) -> None:
    """No number of replicas makes a lone request faster."""
    with pytest.raises(ImpossibleError, match="of 7"):
        plan(rates, 100, 0.001)


def test_comparison_shows_what_was_measured(rates: Rates) -> None:
    """The medians of the rounds, and how far the model is off."""
    answers = [Answer(0, 0, seconds, 0, 0) for seconds in (0.01, 0.02, 0.03)]
    run = Run(0.3, 300, 1.0, answers, 2)
    compared = compare(rates, [run, replace(run, lost=1)], 0.3)
    assert compared.measured[0] == pytest.approx(20)
    assert compared.lost == 3
    p99 = 1e3 * rates.replica(300).percentile(99)
    assert compared.error == pytest.approx(p99 / compared.measured[1] - 1)
    assert "3 lost" in write_table([compared])


def test_nothing_is_made_of_nothing() -> None:
    """Loads without batches are no reason for figures."""
    seen = observe([100])._replace(batches=[])
    with pytest.raises(TooFewBatchesError):
        fit(seen, seen.runs)


def test_server_tells_of_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the metrics, a batch that they count is a line."""
    monkeypatch.setattr(Metrics, "observe_batch", Metrics.observe_batch)
    output = io.StringIO()
    write_batches(output, sleep=False)
    metrics = Metrics(outcome=lambda _: "", queue_size=lambda: 0, queue_age=lambda: 0.0)
    metrics.observe_batch(BatchRecord(2, 30, 64, (0.001, 0.004), 0.007))
    batch = Batch(*map(float, output.getvalue().split()))
    assert (batch.size, batch.tokens, batch.waited, batch.inference) == (2, 30, 0.004, 0.007)


async def test_load_comes_at_random_and_reads_the_stages() -> None:
    """As many as its rate says, about, and each answer with the times of the server."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-queue-time: 1.500\r\n"
    answer += b"x-inference-time: 6.250\r\n\r\n{}"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.rsplit(b":", 1)[1]))
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    job = Job(port, "/", ['{"inputs": "[MASK]"}'], 8, warm_seconds=0.0, seconds=0.5, rate=400)
    load = PoissonLoad(job, seed=1)
    report = await load.run_all()
    load.close()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 60)
    assert report["unanswered"] == 0
    assert report["errors"] == {}
    assert len(load.answers) == pytest.approx(200, abs=60)
    assert {(one.queue, one.inference) for one in load.answers} == {(0.0015, 0.00625)}
    pauses = np.diff(sorted(one.due for one in load.answers))
    # An exponential distribution deviates as much as it is on average.
    assert pauses.std() == pytest.approx(pauses.mean(), rel=0.3)
