"""`fillmask doctor`: what it shows, and its status."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service.commands.cli import app
from service.commands.doctor import doctor as command
from service.commands.doctor.doctor import draw, examine
from service.commands.doctor.machine import Machine

from .machines import make_machine

Run = Callable[[Machine], Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return what runs the command in a pipe, on a machine."""
    monkeypatch.setenv("FILLMASK_MODEL_STORE_DIR", str(tmp_path))

    def run(machine: Machine) -> Any:
        monkeypatch.setattr(command, "Machine", lambda: machine)
        return CliRunner().invoke(app, ["doctor"], prog_name="fillmask")

    return run


def lines(report: dict[str, Any]) -> list[str]:
    """Return what people are shown."""
    screen = io.StringIO()
    Console(file=screen, width=120, color_system=None).print(*draw(report), sep="\n")
    return [" ".join(line.split()) for line in screen.getvalue().splitlines()]


def test_all_is_well(run: Run) -> None:
    """All facts are in the JSON, and the status is 0."""
    told = run(make_machine())
    report = json.loads(told.stdout)
    assert told.exit_code == 0
    assert report["findings"] == []
    assert (report["processor"], report["features"]) == ("A Processor", ["amx_bf16", "avx2"])
    assert report["engines"] == {
        "openvino": "2026.2.0",
        "tensorflow": "2.21.0",
        "jax": None,
        "torch": None,
    }
    assert report["auto"]["engine"] == "openvino"
    assert report["presets"] == {"minilm_l6_en_uncased": None}


def test_status_tells_that_something_is_wrong(run: Run) -> None:
    """A note is no trouble."""
    assert run(make_machine(free=0)).exit_code == 1
    assert run(make_machine(is_connected=False)).exit_code == 0


def test_keys_are_not_shown(run: Run) -> None:
    """A report is to be sent to somebody."""
    told = run(make_machine(environment={"FILLMASK_API_KEYS": "s3cret", "FILLMASK_PORT": "81"}))
    assert "s3cret" not in told.stdout
    settings = {"FILLMASK_API_KEYS": "(not shown)", "FILLMASK_PORT": "81"}
    assert json.loads(told.stdout)["settings"] == settings


@pytest.mark.usefixtures("run")
def test_people_are_told_line_by_line() -> None:
    """What was found, and that all is well."""
    report, _ = examine(make_machine())
    shown = lines(report)
    assert "memory 8.0 GiB free of 16.0 GiB" in shown
    assert "processor A Processor, 2 cores: amx_bf16, avx2" in shown
    assert any(line.startswith("auto openvino: No accelerator is here") for line in shown)
    assert shown[-1] == "Nothing is wrong."


@pytest.mark.usefixtures("run")
def test_people_are_told_what_is_wrong() -> None:
    """After the facts, each with a mark; what is not known is a question mark."""
    machine = make_machine(
        is_connected=False,
        files={"/proc/cpuinfo": "", "/proc/meminfo": ""},
        environment={"FILLMASK_XYZZY": "[red]"},
    )
    report, _ = examine(machine)
    shown = lines(report)
    assert "processor unknown, 2 cores: nothing that makes matrices fast" in shown
    assert "memory ? free of ?" in shown
    assert "huggingface.co does not answer" in shown
    wrong, note = (line for line in shown if line.startswith(("✗", "!")))
    assert wrong == "✗ FILLMASK_XYZZY is no setting and changes nothing; unset it."
    assert note.startswith("! No hub can be reached")
    assert "Nothing is wrong." not in shown
