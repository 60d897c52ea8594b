"""`fillmask doctor`: what is here, what is wrong with it, and how to mend it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from typer import Exit

from service.commands.ask.shown import show
from service.commands.doctor.advice import Finding, choose, judge, write_bytes
from service.commands.doctor.facts import gather
from service.commands.doctor.machine import Machine
from service.commands.doctor.start_checks import check_start
from service.commands.environment import SettingsError, read_settings
from service.models.preset_store import create_store
from service.settings import Settings

_MARKS = {"wrong": ("✗", "bold red"), "note": ("!", "yellow")}


def doctor() -> None:
    """Look at this machine, say what is wrong, and how to mend it.

    A table in a terminal, JSON in a pipe. The status is 1 if something is wrong. Nothing is
    changed, and nothing is fetched; whether the hubs answer is tried unless FILLMASK_OFFLINE is
    true.
    """
    report, findings = examine(Machine())
    show(report, draw)
    raise Exit(int(any(finding.level == "wrong" for finding in findings)))


def examine(machine: Machine) -> tuple[dict[str, Any], list[Finding]]:
    """Return all that was found, as JSON has it, and what of it is wrong."""
    refused: list[str] = []
    try:
        settings = read_settings()
    except SettingsError as error:
        # The rest is looked at as if they were not set.
        refused, settings = str(error).splitlines(), Settings.model_construct()
    store = create_store(settings)
    if not refused:
        try:
            check_start(settings, store)
        except SettingsError as error:
            refused = [str(error)]
    facts = gather(machine, settings, store)
    findings = [*(Finding("wrong", sentence) for sentence in refused), *judge(facts, machine)]
    report = {
        **asdict(facts),
        "auto": asdict(choose(facts)),
        "findings": [asdict(finding) for finding in findings],
    }
    return report, findings


def draw(report: dict[str, Any]) -> Iterator[RenderableType]:
    """Yield a table of what was found, and a line for each finding."""
    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column()
    for title, told in _tell(report):
        table.add_row(title, Text(told))
    yield table
    yield ""
    for finding in report["findings"]:
        mark, style = _MARKS[finding["level"]]
        yield Text.assemble((f"{mark} ", style), finding["sentence"])
    if not report["findings"]:
        yield Text("Nothing is wrong.", "green")


def _tell(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was found for people, a line each."""
    packages = {"fillmask": report["fillmask"], "Python": report["python"], **report["packages"]}
    features = ", ".join(report["features"]) or "nothing that makes matrices fast"
    yield "system", report["system"]
    yield "processor", f"{report['processor']}, {report['cores']} cores: {features}"
    yield "accelerators", ", ".join(report["accelerators"]) or "none"
    yield "memory", f"{_size(report['available_bytes'])} free of {_size(report['memory_bytes'])}"
    yield "versions", _list(packages)
    yield "engines", _list(report["engines"])
    yield "auto", f"{report['auto']['engine']}: {report['auto']['why']}"
    for place in report["places"]:
        name = place["variable"].removeprefix("FILLMASK_").lower()
        yield name, f"{place['path']}, {_size(place['free_bytes'])} free"
    yield "presets here", ", ".join(report["presets"]) or "none"
    yield "settings", " ".join(f"{k}={v}" for k, v in report["settings"].items()) or "none are set"
    answers = {None: "not tried", True: "answers", False: "does not answer"}
    for hub, answer in report["hubs"].items():
        yield hub, answers[answer]


def _list(versions: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version or '-'}" for name, version in versions.items())


def _size(count: int | None) -> str:
    return "?" if count is None else write_bytes(count)
