"""What a check found, as JSON and as a table for the log."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.machine import describe_machine, read_commit
from bench.table import write_table

_MIB = 2**20

Record = dict[str, Any]


@dataclass(slots=True)
class CheckResults:
    """Records of what was found; the keys of each are those of the tables.

    Attributes:
        devices: what each engine runs on.
        missing: what is not there, a sentence each.
        failures: what does not hold, a sentence each. None of them, and the check is green.
        peaks: operations a second of the large product, by engine.
        seconds: how long all of it took.
    """

    devices: Record = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    parity: list[Record] = field(default_factory=list)
    servers: list[Record] = field(default_factory=list)
    training: list[Record] = field(default_factory=list)
    peaks: dict[str, float] = field(default_factory=dict)
    speeds: list[Record] = field(default_factory=list)
    seconds: float = 0.0


def write_check(results: CheckResults, command: str) -> str:
    """Return an entry of the log."""
    runs_on = [
        f"{engine} {device['version']} on {device['name']}"
        for engine, device in results.devices.items()
    ]
    notes = [f"- {note}" for note in (*results.failures, *results.missing)]
    parts = [
        f"## {datetime.now(UTC):%Y-%m-%d}: accelerator check, {write_verdict(results)}",
        f"Machine: {describe_machine()} {'; '.join(runs_on)}.",
        f"Commit {read_commit()}, `{command}`, {results.seconds:.0f} s.",
        _write_parity(results),
        _write_speeds(results),
        _write_servers(results),
        _write_training(results),
        "\n".join(notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_verdict(results: CheckResults) -> str:
    """Return `green`, or how much does not hold."""
    return f"{len(results.failures)} failed" if results.failures else "green"


def _write_parity(results: CheckResults) -> str:
    rows = [
        (
            f"{r['engine']} {r['precision']}, {r['golden']}",
            str(r["masks"]),
            f"{r['same']:.1%}",
            f"{r['kept']:.1%}",
            f"{r['largest_error']:.1e}",
            "yes" if r["holds"] else "no",
        )
        for r in results.parity
    ]
    header = ("against Transformers", "masks", "same five", "first kept", "largest error", "holds")
    return write_table(header, rows) if rows else ""


def _write_speeds(results: CheckResults) -> str:
    rows = [
        (
            f"{r['engine']} {r['precision']}, {r['shape']}, {r['rows']} x {r['length']}",
            f"{r['seconds'] * 1e3:.2f}",
            f"{r['rows'] * r['length'] / r['seconds']:,.0f}",
            f"{r['flops'] / 1e12:.3f}",
            f"{r['flops'] / results.peaks[r['engine']]:.2f}",
        )
        for r in results.speeds
    ]
    rows += [
        (f"{engine}, large product", "", "", f"{peak / 1e12:.3f}", "1.00")
        for engine, peak in results.peaks.items()
    ]
    header = ("engine alone", "ms", "tokens/s", "TFLOP/s needed", "of peak")
    return write_table(header, rows) if rows else ""


def _write_servers(results: CheckResults) -> str:
    rows = [
        (
            f"{r['engine']}, {r['shape']}, {r['workers']} workers, {r['callers']} callers",
            f"{r['requests_per_second']:.1f}",
            f"{r['p50'] * 1e3:.1f}",
            f"{r['p99'] * 1e3:.1f}",
            ", ".join(f"{count} x {status}" for status, count in r["errors"].items()) or "0",
            f"{r['ready_seconds']:.0f}",
            f"{r['loaded_bytes'] / _MIB:,.0f}",
            f"{r['most_bytes'] / _MIB:,.0f}",
            f"{r['compiled_before']}, then {r['compiled_after']}",
        )
        for r in results.servers
    ]
    memory = ("MiB loaded", "MiB under load", "compiled until ready, after")
    header = ("server", "requests/s", "p50 ms", "p99 ms", "not 200", "s until ready", *memory)
    return write_table(header, rows) if rows else ""


def _write_training(results: CheckResults) -> str:
    rows = [
        (
            f"{r['engine']} {r['precision']}, {r['shape']}, {r['tokens']} tokens a step",
            f"{r['tokens_per_second']:,.0f}",
            f"{r['first_loss']:.2f}, then {r['last_loss']:.2f}",
        )
        for r in results.training
    ]
    return write_table(("training", "tokens/s", "loss"), rows) if rows else ""
