"""Measure the application on Ray: `python -m bench.ray WHAT`."""

import argparse
import importlib
import signal
import sys

MEASUREMENTS = ("faults", "rollout", "routing", "scaling")


def main() -> None:
    """Run one measurement, print its table, and keep it if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.ray", description=__doc__)
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--log", action="store_true", help="put it into bench/LOG.md too")
    arguments = parser.parse_args()
    # Ended from outside, it still ends the cluster that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    figures = importlib.import_module(f"bench.ray.{arguments.what}").measure()
    print(figures.write_table())
    if arguments.log:
        figures.keep()


if __name__ == "__main__":
    main()
