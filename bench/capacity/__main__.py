"""Plan capacity: `python -m bench.capacity WHAT`.

    check      measure a real server at loads to fit on and at five to predict, and compare
    costs      measure what a request costs in processor time and bytes
    replicas   how many replicas a rate takes, for a 99th percentile
    loads      what one replica's callers wait, and how many wait, by how much it gets
    routers    10, 100 and 1,000 replicas by who chooses among them, simulated
    million    what a million texts a second take, on paper

`check` takes five minutes, `routers` some more, the others seconds.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

from bench.capacity.comparison import compare, write_table
from bench.capacity.costs import measure_costs, read_costs, write_costs
from bench.capacity.fitting import fit
from bench.capacity.fleets import simulate_fleets, write_head, write_row
from bench.capacity.measure import FITTED, MOST_TOKENS, PREDICTED, Effort, measure
from bench.capacity.million import (
    Assumptions,
    Load,
    break_in_order,
    size,
    write_limits,
    write_sum,
)
from bench.capacity.observations import read
from bench.capacity.planning import find_rate, plan
from bench.capacity.rates import FOLDER, Rates, of_observations, read_rates, write_rates
from bench.machine import describe_machine, name_kind

_SEEN = Path(__file__).parent.parent / ".cache" / "capacity.json"
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def check(arguments: argparse.Namespace) -> None:
    """Measure, fit, and compare."""
    seen = arguments.seen or _SEEN
    if not arguments.seen:
        effort = Effort(
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            is_first=arguments.first,
            sleeps=arguments.sleep,
        )
        seen.parent.mkdir(parents=True, exist_ok=True)
        seen.write_text(json.dumps(measure(effort)), "utf-8")
    observations = read(seen)
    times = fit(observations, observations.select(FITTED))
    rates = of_observations(observations, times, MOST_TOKENS)
    print(f"{observations.about['machine']} Load before {observations.about['before']}.\n")
    print(_describe(rates), f"Callers without a pause got {observations.capacity:.0f}.\n")
    comparisons = [compare(rates, observations.runs, share) for share in PREDICTED]
    print(write_table(comparisons))
    if arguments.keep and not observations.about.get("engine"):
        print(f"\nKept in {write_rates(rates)}.")


def costs(arguments: argparse.Namespace) -> None:
    """Measure costs."""
    measured = measure_costs()
    print(f"{describe_machine()}\n{measured}")
    if arguments.keep:
        print(f"Kept in {write_costs(measured, FOLDER)}.")


def replicas(arguments: argparse.Namespace) -> None:
    """Say how many replicas a rate takes."""
    rates = _read(arguments)
    found = plan(rates, arguments.rate, arguments.p99_ms / 1000, arguments.spare)
    print(
        f"{found.replicas} replicas, {arguments.spare} of them to spare. Each gets "
        f"{found.rate:.0f} requests/s, {found.rate / found.capacity:.0%} of what it can do: p99 "
        f"{1e3 * found.p99:.1f} ms, {found.batch:.1f} texts a batch.\n"
        "Targets for each: fill_mask_queue_size "
        f"{found.waiting:.1f}, ongoing requests {found.under_way:.1f}."
    )


def loads(arguments: argparse.Namespace) -> None:
    """Say what callers wait, by load."""
    rates = _read(arguments)
    print(_describe(rates), "\n")
    print("| load | requests/s | busy | texts a batch | p50, ms | p99, ms | waiting | under way |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for share in _SHARES:
        one = rates.replica(share * rates.capacity)
        print(
            f"| {share:.0%} | {one.rate:.0f} | {one.utilisation:.0%} | {one.mean_batch:.1f} "
            f"| {1e3 * one.percentile(50):.1f} | {1e3 * one.percentile(99):.1f} "
            f"| {one.mean_waiting:.1f} | {one.mean_under_way:.1f} |",
            flush=True,
        )


def routers(arguments: argparse.Namespace) -> None:
    """Simulate fleets; milliseconds, p50 and p99."""
    print(write_head(), flush=True)
    for row in simulate_fleets(_read(arguments), arguments.counts, arguments.shares):
        print(write_row(row), flush=True)


def million(arguments: argparse.Namespace) -> None:
    """Do the sum."""
    rates, paid = _read(arguments), read_costs(arguments.costs)
    each = find_rate(rates, arguments.p99_ms / 1000)
    load = Load(arguments.rate, arguments.texts, each, arguments.replica_cores)
    assumed = Assumptions(serve_s=arguments.serve_ms / 1000)
    print(write_sum(size(load, paid, assumed)))
    print(f"\n{write_limits(break_in_order(load, paid, assumed))}")


def _describe(rates: Rates) -> str:
    times = rates.times
    return (
        f"A batch: {1e3 * times.shared_s:.2f} ms and {1e6 * times.token_s:.1f} us a token; each "
        f"request takes {1e3 * times.host_s:.2f} ms from it. Between batches: "
        f"{1e3 * times.gap_s:.2f} ms and {1e3 * times.gap_text_s:.2f} a text. Beside both: "
        f"{1e3 * times.overhead_s:.2f} ms and {1e3 * times.overhead_text_s:.2f} a text. "
        f"At most {rates.capacity:.0f} requests/s."
    )


def _read(arguments: argparse.Namespace) -> Rates:
    if not arguments.rates.exists():
        sys.exit(
            f"There is no {arguments.rates}: run `python -m bench.capacity check --keep` first."
        )
    return read_rates(arguments.rates)


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)

    checking = commands.add_parser("check")
    checking.set_defaults(act=check)
    checking.add_argument("--rounds", type=int, default=Effort().rounds)
    checking.add_argument("--seconds", type=float, default=Effort().seconds, help="of each load")
    checking.add_argument("--first", action="store_true", help="before all others; needs root")
    checking.add_argument(
        "--sleep", action="store_true", help="the engine sleeps, and needs no core"
    )
    checking.add_argument("--seen", type=Path, help="compare what was measured before")
    checking.add_argument("--keep", action="store_true", help="for the other commands")

    paying = commands.add_parser("costs")
    paying.set_defaults(act=costs)
    paying.add_argument("--keep", action="store_true", help="for the other commands")

    known = argparse.ArgumentParser(add_help=False)
    known.add_argument("--rates", type=Path, default=FOLDER / f"{name_kind()}.json")
    wanted = argparse.ArgumentParser(add_help=False)
    wanted.add_argument("--p99-ms", type=float, default=100.0)

    counting = commands.add_parser("replicas", parents=[known, wanted])
    counting.set_defaults(act=replicas)
    counting.add_argument("--rate", type=float, required=True, help="requests a second")
    counting.add_argument("--spare", type=int, default=1)

    commands.add_parser("loads", parents=[known]).set_defaults(act=loads)

    routing = commands.add_parser("routers", parents=[known])
    routing.set_defaults(act=routers)
    routing.add_argument("--counts", type=int, nargs="+", default=[10, 100, 1000])
    routing.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.7, 0.85])

    summing = commands.add_parser("million", parents=[known, wanted])
    summing.set_defaults(act=million)
    summing.add_argument("--costs", type=Path, default=FOLDER / f"{name_kind()}-costs.json")
    summing.add_argument("--rate", type=float, default=1e6, help="texts a second")
    summing.add_argument("--texts", type=int, default=1, help="in each request")
    summing.add_argument("--replica-cores", type=int, default=2)
    summing.add_argument("--serve-ms", type=float, default=1e3 * Assumptions().serve_s)

    arguments = parser.parse_args()
    # Ended from outside, it still ends the server that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    arguments.act(arguments)


if __name__ == "__main__":
    main()
