"""What was found as Markdown, and its place in the log."""

from datetime import UTC, datetime
from pathlib import Path

from bench.engine_speed import EngineResults
from bench.flops import BatchShape, count_full, count_needed
from bench.load import Report
from bench.machine import describe_load, describe_machine, read_commit
from bench.plan import ENGINES, Plan
from bench.server_load import OPEN_LOAD, PEER_CALLERS, ServerResults
from bench.servers import ECHO, FILLMASK, PEERS
from bench.shapes import BASE, SHAPES, TINY

LOG = Path(__file__).parent / "LOG.md"
HEADLINE = BatchShape(32, 128)

_DEFAULTS = "All libraries at their default thread counts and wait policies."

Row = tuple[str, ...]


def write_table(header: Row, rows: list[Row]) -> str:
    """Return a Markdown table; the first column is text and the others figures."""
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return text.replace("| nan |", "| not measured |").replace("| nan |", "| not measured |")


def write_ratios(engines: EngineResults, servers: ServerResults) -> str:
    """Return the ratios that matter, each with the two figures of the same run behind it."""
    rows = [_write_peak_ratio(engines)]
    for shape in (BASE.name, TINY.name):
        rows += _write_peer_ratios(servers, shape)
    rows += _write_http_ratios(engines, servers)
    rows += _write_scale_ratios(servers)
    return write_table(("what", "ours", "against", "ratio"), rows)


def _write_peak_ratio(engines: EngineResults) -> Row:
    ours = ENGINES[0]
    seconds = engines.batches.get((BASE.name, ours.label, HEADLINE), float("nan"))
    peak = engines.peaks.get((ours.library, ours.precision), float("nan"))
    return (
        f"base, 128 tokens, batch 32, {ours.label}: GFLOP/s, against the same library's product",
        f"{count_needed(BASE, HEADLINE) / seconds / 1e9:.1f}",
        f"{peak / 1e9:.1f}" if isinstance(peak, float) else peak,
        f"{engines.fraction_of_peak(BASE, ours, HEADLINE):.2f}",
    )


def _write_peer_ratios(servers: ServerResults, shape: str) -> list[Row]:
    ours, p99 = servers.peer_rate(shape, FILLMASK.name), servers.peer_p99(shape, FILLMASK.name)
    rows = []
    for peer in PEERS:
        rate, peer_p99 = servers.peer_rate(shape, peer.name), servers.peer_p99(shape, peer.name)
        where = f"{shape} over HTTP, {PEER_CALLERS} callers, against {peer.name}"
        rows.append((f"{where}: requests/s", f"{ours:.1f}", f"{rate:.1f}", f"{ours / rate:.2f}"))
        figures = (f"{p99 * 1e3:.0f}", f"{peer_p99 * 1e3:.0f}", f"{p99 / peer_p99:.2f}")
        rows.append((f"{where}: p99 ms", *figures))
    return rows


def _write_http_ratios(engines: EngineResults, servers: ServerResults) -> list[Row]:
    nan = float("nan")
    rate = servers.peer_rate(BASE.name, FILLMASK.name)
    engine_rate = 1 / engines.sentences.get((BASE.name, 32), nan)
    single = servers.single_seconds(BASE.name)
    engine_single = engines.sentences.get((BASE.name, 1), nan)
    edge = servers.peer_rate(TINY.name, FILLMASK.name)
    echo = servers.peer_rate(TINY.name, ECHO.name)
    return [
        (
            f"base over HTTP, {PEER_CALLERS} callers, against the engine alone: sentences/s",
            f"{rate:.1f}",
            f"{engine_rate:.1f}",
            f"{rate / engine_rate:.2f}",
        ),
        (
            "base, one caller, against the engine's batch of one: ms",
            f"{single * 1e3:.1f}",
            f"{engine_single * 1e3:.1f}",
            f"{single / engine_single:.2f}",
        ),
        (
            f"tiny over HTTP, {PEER_CALLERS} callers, against a bare FastAPI echo: requests/s",
            f"{edge:.0f}",
            f"{echo:.0f}",
            f"{edge / echo:.2f}",
        ),
    ]


def _write_scale_ratios(servers: ServerResults) -> list[Row]:
    rows = []
    if servers.scaling:
        fewest, most = min(servers.scaling), max(servers.scaling)
        first, last = servers.scaling[fewest], servers.scaling[most]
        rows.append(
            (
                f"tiny over HTTP, {most:,} sentences against {fewest:,}: µs a token",
                f"{last * 1e6:.1f}",
                f"{first * 1e6:.1f}",
                f"{last / first:.2f}",
            )
        )
    for shape, report in servers.tails.items():
        single = servers.single_seconds(shape)
        rows.append(
            (
                f"{shape}, open at {OPEN_LOAD:.0%} of saturation, {report.answers} answers: p99 ms",
                f"{report.p99 * 1e3:.1f}",
                f"{single * 1e3:.1f}",
                f"{report.p99 / single:.2f}",
            )
        )
    return rows


def write_peaks(engines: EngineResults) -> str:
    """Return the machine's peaks; what it cannot do is said."""
    rows = [
        (f"{library} {precision}", f"{peak / 1e9:.1f}" if isinstance(peak, float) else peak)
        for (library, precision), peak in sorted(engines.peaks.items())
    ]
    return write_table(("matrix product", "GFLOP/s"), rows)


def write_engines(engines: EngineResults) -> str:
    """Return every engine on every batch."""
    rows = []
    for (name, label, batch), seconds in engines.batches.items():
        shape = SHAPES[name]
        engine = next(engine for engine in ENGINES if engine.label == label)
        rows.append(
            (
                f"{name}, {batch.rows} x {batch.length}, {label}",
                f"{seconds * 1e3:.1f}",
                f"{batch.rows / seconds:.1f}",
                f"{count_full(shape, batch) / 1e9:.1f}",
                f"{count_needed(shape, batch) / 1e9:.1f}",
                f"{engines.fraction_of_peak(shape, engine, batch):.2f}",
            )
        )
    header = ("engine alone", "ms", "texts/s", "GFLOP full", "GFLOP needed", "of peak")
    return write_table(header, rows)


def write_servers(servers: ServerResults) -> str:
    """Return our server under every load."""
    rows = [
        (
            f"{cell.shape}, {cell.sentences} a request, {cell.callers} callers, {cell.kind}",
            *_write_report(report),
        )
        for cell, report in servers.cells.items()
    ]
    for (shape, name), reports in servers.peers.items():
        rows += [
            (f"{shape}, {PEER_CALLERS} callers, {name}, round {number}", *_write_report(report))
            for number, report in enumerate(reports, 1)
        ]
    return write_table(("server", "requests/s", "p50 ms", "p99 ms", "answers", "not 200"), rows)


def _write_report(report: Report) -> Row:
    errors = [f"{count} x {status}" for status, count in report.errors.items()]
    if report.unanswered:
        errors.append(f"{report.unanswered} unanswered")
    return (
        f"{report.rate:.1f}",
        f"{report.p50 * 1e3:.1f}",
        f"{report.p99 * 1e3:.1f}",
        str(report.answers),
        ", ".join(errors) or "0",
    )


def write_entry(
    plan: Plan, engines: EngineResults, servers: ServerResults, *, command: str, load: str
) -> str:
    """Return an entry of the log."""
    notes = [f"- {note}" for note in dict.fromkeys(engines.notes + servers.notes)]
    parts = [
        f"## {datetime.now(UTC):%Y-%m-%d}: engines, server and peers",
        f"Machine: {describe_machine()} Load before {load}, after {describe_load()}.",
        f"Commit {read_commit()}, `{command}`, {plan.rounds} rounds; medians. {_DEFAULTS}",
        write_ratios(engines, servers),
        write_peaks(engines),
        write_engines(engines),
        write_servers(servers),
        "Not measured:\n\n" + "\n".join(notes) if notes else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def add_to_log(entry: str, log: Path = LOG) -> None:
    """Put an entry before the newest one."""
    text = log.read_text("utf-8")
    at = text.find("\n## ") + 1 or len(text)
    log.write_text(f"{text[:at]}{entry}\n{text[at:]}", "utf-8")
