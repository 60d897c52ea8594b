"""`fillmask bench`: how fast a preset answers on this machine, alone and over HTTP."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from rich.console import RenderableType
from rich.table import Table
from typer import Option

from model_store.engines.fill_mask import FillMaskModel
from model_store.tasks import TaskLimits, drive
from model_store.tasks.fill import FillRequest
from service.app import request_limits
from service.commands.ask.question import load
from service.commands.ask.shown import show
from service.commands.bench.loopback import callers, serving
from service.commands.bench.rate import Rate, measure
from service.commands.environment import read_settings
from service.commands.options import PresetOption
from service.commands.sentences import warn_of_unknown_settings

_BATCHES = (1, 32)
_CALLERS = (1, 16)
_TEXTS = (
    "The capital of France is [MASK].",
    "She put the [MASK] on the table and sat down to write a letter.",
    "Yesterday it was [MASK], so we stayed at home, made tea and read all day long.",
    "He is a very [MASK] person.",
)


def bench(
    *,
    preset: PresetOption = None,
    seconds: Annotated[float, Option(min=0.01, help="How long each of four lines takes.")] = 5.0,
) -> None:
    """Measure how fast a preset answers on this machine, alone and over HTTP on loopback.

    Callers, server and engine share the cores, as they do on one machine. Let nothing else run
    meanwhile. The settings are those of the server, but for its keys and its address.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    preset = preset or settings.default_preset
    limits = request_limits(settings).task
    model = load(preset, settings)
    alone = [_measure_alone(model, limits, size, seconds) for size in _BATCHES]
    facts = {"preset": preset, "engine": model.engine, "precision": model.facts.precision}
    del model  # its memory is the server's now
    with serving(preset) as port:
        served = [_measure_served(port, count, seconds) for count in _CALLERS]
    show({**facts, "alone": list(map(asdict, alone)), "http": list(map(asdict, served))}, draw)


def draw(report: dict[str, Any]) -> Iterator[RenderableType]:
    """Yield a table, a line for each measurement."""
    title = f"{report['preset']} on {report['engine']} in {report['precision']}"
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    table.add_column("")
    for column in ("texts/s", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    lines = [(f"alone, {each['texts']} at a time", each) for each in report["alone"]]
    lines += [(f"HTTP, {each['callers']} callers", each) for each in report["http"]]
    for line, each in lines:
        numbers = (f"{each['texts_per_s']:,.0f}", f"{each['p50_ms']:.2f}", f"{each['p99_ms']:.2f}")
        table.add_row(line, *numbers)
    yield table


def _measure_alone(model: FillMaskModel, limits: TaskLimits, size: int, seconds: float) -> Rate:
    texts = [_TEXTS[index % len(_TEXTS)] for index in range(size)]

    def fill() -> None:
        drive(FillRequest(texts, 5).start(model, limits), model.predict, model.facts.batch_tokens)

    return measure([fill], size, seconds)


def _measure_served(port: int, count: int, seconds: float) -> Rate:
    with callers(port, {"inputs": _TEXTS[1]}, count) as calls:
        return measure(calls, 1, seconds)
