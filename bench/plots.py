"""Pictures of what was found."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.engine_speed import EngineResults
from bench.plan import ENGINES
from bench.server_load import PEER_CALLERS, ServerResults, list_peers
from bench.servers import FILLMASK
from bench.shapes import SHAPES


def draw_all(engines: EngineResults, servers: ServerResults, folder: Path) -> None:
    """Write every plot as PNG."""
    mpl.use("Agg")
    _draw_peers(servers, folder / "peers.png")
    _draw_callers(servers, folder / "callers.png")
    _draw_engines(engines, folder / "engines.png")


def _draw_peers(servers: ServerResults, file: Path) -> None:
    shapes = sorted({shape for shape, _ in servers.peers})
    figure, axes = plt.subplots(1, max(1, len(shapes)), figsize=(10, 3.5), squeeze=False)
    for axis, shape in zip(axes[0], shapes, strict=False):
        names = [FILLMASK.name, *(peer.name for peer in list_peers(SHAPES[shape]))]
        axis.barh(names, [servers.peer_rate(shape, name) for name in names])
        axis.invert_yaxis()
        axis.set(title=f"{shape}, {PEER_CALLERS} callers", xlabel="requests/s")
    _save(figure, file)


def _draw_callers(servers: ServerResults, file: Path) -> None:
    figure, (rates, tails) = plt.subplots(1, 2, figsize=(10, 4))
    for shape in SHAPES:
        for sentences in sorted({cell.sentences for cell in servers.cells}):
            cells = [
                (cell.callers, report)
                for cell, report in servers.cells.items()
                if (cell.shape, cell.sentences, cell.kind) == (shape, sentences, "closed")
            ]
            callers = [count for count, _ in cells]
            label = f"{shape}, {sentences} a request"
            rates.plot(callers, [r.rate * sentences for _, r in cells], marker="o", label=label)
            tails.plot(callers, [r.p99 * 1e3 for _, r in cells], marker="o", label=label)
    for axis, label in ((rates, "sentences/s"), (tails, "p99 ms")):
        axis.set(xlabel="callers, closed load", ylabel=label, xscale="log", yscale="log")
    if servers.cells:
        rates.legend(fontsize="small")
    _save(figure, file)


def _draw_engines(engines: EngineResults, file: Path) -> None:
    figure, axis = plt.subplots(figsize=(10, 4))
    for engine in ENGINES:
        cells = [key for key in engines.batches if key[1] == engine.label]
        names = [f"{shape[:6]}\n{batch.rows}x{batch.length}" for shape, _, batch in cells]
        fractions = [
            engines.fraction_of_peak(SHAPES[shape], engine, batch) for shape, _, batch in cells
        ]
        axis.plot(names, fractions, marker="o", linestyle="", label=engine.label)
    axis.set(ylabel="fraction of the library's peak", ylim=(0, 1.1))
    axis.tick_params(axis="x", labelsize=6)
    axis.legend(fontsize="small")
    _save(figure, file)


def _save(figure: plt.Figure, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)
