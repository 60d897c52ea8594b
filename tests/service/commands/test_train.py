"""`fillmask train` and `fillmask evaluate`, with stand-ins for what they call."""

import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperOption
from typer.main import get_command
from typer.testing import CliRunner, Result

from model_store.errors import PresetNotFoundError
from model_store.masked_lm.training.options import TrainingOptions
from service.commands.cli import app


@dataclass
class Measured:
    """What a training returns."""

    loss: float = 2.5


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "text.txt"
    path.write_text("A text.\n", "utf-8")
    return path


def replace_function(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, function: Callable[..., Any]
) -> None:
    """Put a function in the place of one whose module would import a runtime."""
    fake = types.ModuleType(module)
    monkeypatch.setattr(fake, name, function, raising=False)
    monkeypatch.setitem(sys.modules, module, fake)


def invoke(command: str, text: Path, *more: str) -> Result:
    """Run a command on one text file."""
    return CliRunner().invoke(app, [command, "--init", "tiny", "--heldout", str(text), *more])


def invoke_train(text: Path, *more: str) -> Result:
    """Run a training of five steps."""
    out = str(text.parent / "out")
    return invoke("train", text, "--text", str(text), "--out", out, "--steps", "5", *more)


def test_options_reach_the_training(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    """What is typed goes in, what is measured comes out, and what is logged is shown."""
    asked: list[TrainingOptions] = []

    def train(
        options: TrainingOptions, report: Callable[[dict[str, Any]], None], **_: Any
    ) -> Measured:
        asked.append(options)
        report({"event": "step", "step": 1, "loss": 4.0})
        report({"event": "train", "step": 1, "loss": 3.25})
        return Measured()

    replace_function(monkeypatch, "model_store.masked_lm.training.trainer", "train", train)
    result = invoke_train(text, "--learning-rate", "0.5", "--schedule", "cosine")
    assert result.exit_code == 0, result.output
    assert asked == [
        TrainingOptions(
            init="tiny",
            texts=(text,),
            heldout=text,
            out=text.parent / "out",
            steps=5,
            learning_rate=0.5,
            schedule="cosine",
        )
    ]
    assert '"loss": 3.25' in result.output
    assert json.loads(result.stdout.splitlines()[-1]) == {"loss": 2.5}


def test_wrong_options_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    """No trace of a call stack."""
    monkeypatch.setitem(
        sys.modules, "model_store.masked_lm.training.trainer", None
    )  # asked in vain
    result = invoke_train(text, "--log-every", "0")
    assert result.exit_code == 1
    assert "Error: log_every is 0; give 1 or more." in result.output


def test_preset_is_measured(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    """One line of JSON."""
    asked: list[Any] = []

    def measure(init: str, heldout: Path, *, rows: int, **_: Any) -> Measured:
        asked.append((init, heldout, rows))
        return Measured()

    replace_function(
        monkeypatch, "model_store.masked_lm.training.heldout", "measure_preset", measure
    )
    result = invoke("evaluate", text, "--rows", "7")
    assert json.loads(result.stdout) == {"loss": 2.5}
    assert asked == [("tiny", text, 7)]


def test_unknown_preset_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    """As the library says it."""

    def measure(*_: Any, **__: Any) -> Measured:
        message = "There is no such preset; list them."
        raise PresetNotFoundError(message)

    replace_function(
        monkeypatch, "model_store.masked_lm.training.heldout", "measure_preset", measure
    )
    result = invoke("evaluate", text)
    assert result.exit_code == 1
    assert "Error: There is no such preset; list them." in result.output


def test_presets_are_found_as_the_server_finds_them(
    monkeypatch: pytest.MonkeyPatch, text: Path, tmp_path: Path
) -> None:
    """The settings that say where they lie, and that none is fetched, reach both commands."""
    asked: list[Any] = []

    def note(*_: Any, directory: Path, offline: bool, **__: Any) -> Measured:
        asked.append((directory, offline))
        return Measured()

    monkeypatch.setenv("FILLMASK_MODEL_STORE_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("FILLMASK_OFFLINE", "true")
    monkeypatch.setenv("FILLMASK_OFLINE", "true")
    replace_function(monkeypatch, "model_store.masked_lm.training.trainer", "train", note)
    replace_function(monkeypatch, "model_store.masked_lm.training.heldout", "measure_preset", note)
    for result in (invoke_train(text), invoke("evaluate", text)):
        assert result.exit_code == 0, result.output
        assert "FILLMASK_OFLINE is no setting; did you mean FILLMASK_OFFLINE?" in result.stderr
    assert asked == [(tmp_path / "store", True)] * 2


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_every_option_says_what_it_does(command: str) -> None:
    """And what it is where it is not given: nobody should have to read the code for it."""
    options = [
        each for each in get_command(app).commands[command].params if isinstance(each, TyperOption)
    ]
    assert options
    shown = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    for option in options:
        default = (
            f"({option.show_default})" if isinstance(option.show_default, str) else option.default
        )
        state = "[required]" if option.required else f"[default: {default}]"
        assert option.help
        assert f"{option.help} {state}" in shown


def test_lengths_of_rows_are_read(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    """Whole numbers with commas between them, and a sentence for anything else."""
    asked: list[TrainingOptions] = []

    def train(options: TrainingOptions, *_: Any, **__: Any) -> Measured:
        asked.append(options)
        return Measured()

    replace_function(monkeypatch, "model_store.masked_lm.training.trainer", "train", train)
    assert invoke_train(text, "--row-lengths", "16, 24,").exit_code == 0
    assert asked[0].row_lengths == (16, 24)
    assert "give one like 16,32,64" in invoke_train(text, "--row-lengths", "16;24").output
