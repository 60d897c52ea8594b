"""Measure what the service does when things go wrong: `python -m bench.reliability WHAT`."""

import argparse
import asyncio
import json
from dataclasses import asdict, is_dataclass
from typing import Any

from bench.reliability.hang_ups import measure_hang_ups
from bench.reliability.heads import measure_heads
from bench.reliability.overload import measure_overload
from bench.reliability.terminations import measure_terminations


def main() -> None:
    """Run one measurement and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("what", choices=("overload", "hang-ups", "terminations", "heads"))
    parser.add_argument("--seconds", type=float, default=300.0, help="of overload")
    parser.add_argument("--callers", type=int, default=10_000, help="who hang up")
    parser.add_argument("--times", type=int, default=50, help="to terminate a server")
    arguments = parser.parse_args()
    measurements = {
        "overload": lambda: measure_overload(arguments.seconds),
        "hang-ups": lambda: measure_hang_ups(arguments.callers),
        "terminations": lambda: measure_terminations(arguments.times),
        "heads": measure_heads,
    }
    figures = asyncio.run(measurements[arguments.what]())
    print(json.dumps(figures, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


if __name__ == "__main__":
    main()
