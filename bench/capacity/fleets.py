"""Ten, a hundred and a thousand replicas, by who chooses among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.capacity.rates import Rates
from bench.capacity.routing import ROUTERS
from bench.capacity.simulation import Fleet, Simulation

_SECONDS = 0.5
"""What is simulated at least: some dozens of batches of each replica, after the start."""
_FEWEST = 40_000


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One fleet under one load.

    Attributes:
        replicas, ingresses: how many there are of each.
        share: of the most that the replicas can answer.
        p50, p99: milliseconds, by router.
    """

    replicas: int
    ingresses: int
    share: float
    p50: dict[str, float]
    p99: dict[str, float]


def simulate_fleets(
    rates: Rates, counts: Sequence[int], shares: Sequence[float], replicas_per_ingress: int = 8
) -> Iterator[FleetRow]:
    """Yield a row a fleet and load; an ingress for so many replicas, at least two."""
    for count in counts:
        for share in shares:
            ingresses = max(2, count // replicas_per_ingress)
            rate = share * rates.capacity
            fleet = Fleet(count, ingresses, rate, rates.times, rates.lengths, rates.limits)
            requests = max(_FEWEST, int(2 * _SECONDS * rate * count))
            outcomes = {
                name: Simulation(fleet, router, seed=count).run(requests, warm=0.5)
                for name, router in ROUTERS.items()
            }
            yield FleetRow(
                count,
                ingresses,
                share,
                {name: 1e3 * outcome.percentile(50) for name, outcome in outcomes.items()},
                {name: 1e3 * outcome.percentile(99) for name, outcome in outcomes.items()},
            )


def write_head() -> str:
    """Return the head of the table."""
    names = " | ".join(ROUTERS)
    return (
        f"| replicas | ingresses | load | {names} |\n"
        f"| ---: | ---: | ---: |{' ---: |' * len(ROUTERS)}"
    )


def write_row(row: FleetRow) -> str:
    """Return a row: 50th and 99th percentile by router."""
    cells = " | ".join(f"{row.p50[name]:.0f}, {row.p99[name]:.0f}" for name in ROUTERS)
    return f"| {row.replicas} | {row.ingresses} | {row.share:.0%} | {cells} |"
