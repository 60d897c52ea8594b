"""What the commands share: help with examples, and names that the shell completes."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from service.commands.cli import app
from service.commands.options import choose_markup, complete_presets

RUNTIMES = {"keras", "tensorflow", "openvino", "jax", "torch"}


class Screen(io.StringIO):
    """An output that somebody is looking at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def list_commands() -> list[list[str]]:
    """Return the words of every command."""
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    return [
        [name, *more]
        for name, command in commands.items()
        for more in ([[each] for each in getattr(command, "commands", {})] or [[]])
    ]


@pytest.mark.parametrize("words", list_commands(), ids=" ".join)
def test_help_shows_how_a_command_is_used(words: list[str]) -> None:
    """With a line to copy."""
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="fillmask").output
    assert f"fillmask {' '.join(words)}" in shown.partition("Examples:")[2]


def test_help_teaches_and_imports_no_runtime() -> None:
    """Whoever asks what there is does not wait for TensorFlow."""
    code = (
        "import sys\n"
        "from service.commands.cli import cli\n"
        "try:\n    cli(['--help'], prog_name='fillmask')\n"
        "except SystemExit:\n    pass\n"
        f"print({RUNTIMES!r} & sys.modules.keys())"
    )
    told = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "fillmask serve" in told.stdout
    assert told.stdout.endswith("set()\n")


def test_presets_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the catalogue and one's own."""
    monkeypatch.setenv("FILLMASK_MODEL_STORE_DIR", str(tmp_path))
    (tmp_path / "bert_of_mine").mkdir()
    (tmp_path / "bert_of_mine" / "config.json").write_text("{}")
    assert complete_presets("minilm") == ["minilm_l6_en_uncased"]
    assert "bert_of_mine" in complete_presets("bert_")


def test_nothing_completes_where_settings_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell is no place for an error."""
    monkeypatch.setenv("FILLMASK_PORT", "x")
    assert complete_presets("") == []


def test_shell_is_answered() -> None:
    """As its completion script asks: which words may come next."""
    words = "fillmask presets verify min"
    asked = {"_FILLMASK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "3"}
    told = CliRunner().invoke(app, env=asked, prog_name="fillmask").output
    assert told.split() == ["minilm_l6_en_uncased"]


def test_help_is_drawn_where_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And plain in a pipe, or where nobody can read it."""
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    assert choose_markup() == "rich"
    screen.close()
    assert choose_markup() is None
    monkeypatch.setattr(sys, "stdout", None)
    assert choose_markup() is None
