"""What was found as Markdown, and its place in the log."""

from datetime import UTC, datetime
from pathlib import Path

from bench.engine_speed import EngineResults
from bench.flops import count_full, count_needed
from bench.load import Report
from bench.machine import describe_load, describe_machine, read_commit
from bench.plan import ENGINES, HEADLINE, Plan
from bench.record import Row, write_rows
from bench.server_load import OPEN_LOAD, PEER_CALLERS, ServerResults, list_peers
from bench.servers import ECHO, FILLMASK
from bench.shapes import BASE, SHAPES, TINY, Shape

LOG = Path(__file__).parent / "LOG.md"

_DEFAULTS = "All libraries at their default thread counts and wait policies."

Line = tuple[str, ...]


def write_table(header: Line, rows: list[Line]) -> str:
    """Return a Markdown table; the first column is text and the others figures."""
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return text.replace("| nan |", "| not measured |").replace("| nan |", "| not measured |")


def list_ratios(engines: EngineResults, servers: ServerResults) -> list[Row]:
    """Return the ratios that matter, each with the two figures of the same run behind it."""
    rows = [_list_peak_ratio(engines)]
    for shape in (BASE, TINY):
        rows += _list_peer_ratios(servers, shape)
    rows += _list_http_ratios(engines, servers)
    rows += _list_scale_ratios(servers)
    return rows


def _list_peak_ratio(engines: EngineResults) -> Row:
    ours = ENGINES[0]
    seconds = engines.batches.get((BASE.name, ours.label, HEADLINE), float("nan"))
    peak = engines.peaks.get((ours.library, ours.precision), float("nan"))
    what = f"base, 128 tokens, batch 32, {ours.label}: GFLOP/s, against the same library's product"
    rate = count_needed(BASE, HEADLINE) / seconds
    return _divide(what, rate / 1e9, peak / 1e9 if isinstance(peak, float) else float("nan"))


def _divide(what: str, ours: float, theirs: float) -> Row:
    return Row(what, ours, "", theirs, ours / theirs)


def _list_peer_ratios(servers: ServerResults, shape: Shape) -> list[Row]:
    name = shape.name
    ours, p99 = servers.peer_rate(name, FILLMASK.name), servers.peer_p99(name, FILLMASK.name)
    rows = []
    for peer in list_peers(shape):
        where = f"{name} over HTTP, {PEER_CALLERS} callers, against {peer.name}"
        rows.append(_divide(f"{where}: requests/s", ours, servers.peer_rate(name, peer.name)))
        peer_p99 = servers.peer_p99(name, peer.name)
        rows.append(_divide(f"{where}: p99 ms", p99 * 1e3, peer_p99 * 1e3))
    return rows


def _list_http_ratios(engines: EngineResults, servers: ServerResults) -> list[Row]:
    nan = float("nan")
    rate = servers.peer_rate(BASE.name, FILLMASK.name)
    engine_rate = 1 / engines.sentences.get((BASE.name, 32), nan)
    single = servers.single_seconds(BASE.name)
    engine_single = engines.sentences.get((BASE.name, 1), nan)
    edge = servers.peer_rate(TINY.name, FILLMASK.name)
    echo = servers.peer_rate(TINY.name, ECHO.name)
    over = f"over HTTP, {PEER_CALLERS} callers, against"
    return [
        _divide(f"base {over} the engine alone: sentences/s", rate, engine_rate),
        _divide(
            "base, one caller, against the engine's batch of one: ms",
            single * 1e3,
            engine_single * 1e3,
        ),
        _divide(f"tiny {over} a bare FastAPI echo: requests/s", edge, echo),
    ]


def _list_scale_ratios(servers: ServerResults) -> list[Row]:
    rows = []
    if servers.scaling:
        fewest, most = min(servers.scaling), max(servers.scaling)
        what = f"tiny over HTTP, {most:,} sentences against {fewest:,}: µs a token"
        first, last = servers.scaling[fewest], servers.scaling[most]
        rows.append(_divide(what, last * 1e6, first * 1e6))
    for shape, report in servers.tails.items():
        single = servers.single_seconds(shape)
        what = f"{shape}, open at {OPEN_LOAD:.0%} of saturation, {report.answers} answers: p99 ms"
        rows.append(_divide(what, report.p99 * 1e3, single * 1e3))
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


def _write_report(report: Report) -> Line:
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
        write_rows(list_ratios(engines, servers)),
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
