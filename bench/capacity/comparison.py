"""What was predicted, simulated and measured, side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.capacity.observations import Run
from bench.capacity.rates import Rates
from bench.capacity.routing import RandomRouter
from bench.capacity.service_times import OverloadError
from bench.capacity.simulation import Fleet, Simulation

_SIMULATED = 60_000
_SHARES = (50, 99)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One load; milliseconds, each a 50th and a 99th percentile.

    Attributes:
        share: of the most that was answered.
        rate: requests a second that were offered, the median of the rounds, as all that follows.
        answered: answers a second, the median of the rounds.
        measured: the medians of the rounds.
        least, most: of the rounds' 99th percentiles.
        predicted: by the model.
        simulated: with the scheduler's own choice of batches.
        lost: requests without an answer.
    """

    share: float
    rate: float
    answered: float
    measured: tuple[float, ...]
    least: float
    most: float
    predicted: tuple[float, ...]
    simulated: tuple[float, ...]
    lost: int

    @property
    def error(self) -> float:
        """How far the 99th percentile is off, as a share of what was measured."""
        return self.predicted[1] / self.measured[1] - 1


def compare(rates: Rates, runs: Sequence[Run], share: float) -> Comparison:
    """Compare the rounds of one load with what is predicted for it.

    Args:
        rates: fitted to other loads.
        runs: all that were offered.
        share: the load.
    """
    rounds = [run for run in runs if run.share == share and run.answers]
    rate = median(run.rate for run in rounds)
    p99s = [1e3 * run.percentile(99) for run in rounds]
    return Comparison(
        share,
        rate,
        answered=median(len(run.answers) / run.seconds for run in rounds),
        measured=tuple(median(1e3 * run.percentile(part) for run in rounds) for part in _SHARES),
        least=min(p99s),
        most=max(p99s),
        predicted=_predict(rates, rate),
        simulated=_simulate(rates, rate),
        lost=sum(run.lost for run in rounds),
    )


def _predict(rates: Rates, rate: float) -> tuple[float, ...]:
    try:
        replica = rates.replica(rate)
    except OverloadError:
        return (float("inf"),) * len(_SHARES)
    return tuple(1e3 * replica.percentile(part) for part in _SHARES)


def _simulate(rates: Rates, rate: float) -> tuple[float, ...]:
    fleet = Fleet(1, 1, rate, rates.times, rates.lengths, rates.limits)
    outcome = Simulation(fleet, RandomRouter, seed=1).run(_SIMULATED)
    return tuple(1e3 * outcome.percentile(part) for part in _SHARES)


def write_table(comparisons: Iterable[Comparison]) -> str:
    """Return a Markdown table."""
    lines = [
        (
            "| load | requests/s | answered/s | p50, ms: measured | model | p99, ms: measured "
            "(rounds) | model | off by | simulation |"
        ),
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in comparisons:
        lost = f", {one.lost} lost" * bool(one.lost)
        lines.append(
            f"| {one.share:.0%} | {one.rate:.0f} | {one.answered:.0f}{lost} "
            f"| {one.measured[0]:.1f} | {one.predicted[0]:.1f} "
            f"| {one.measured[1]:.1f} ({one.least:.1f} to {one.most:.1f}) "
            f"| {one.predicted[1]:.1f} | {one.error:+.0%} | {one.simulated[1]:.1f} |"
        )
    return "\n".join(lines)
