"""Ratios of servers under the same load, in interleaved rounds: `python -m bench.ratios --help`."""
