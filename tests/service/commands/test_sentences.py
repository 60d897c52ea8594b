"""Every command ends with a sentence where a person can act on what went wrong."""

import errno
import os

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from model_store.errors import PresetUnavailableError
from service.commands.environment import SettingsError
from service.commands.sentences import CommandError, SentenceGroup


def invoke(error: Exception) -> Result:
    """Run a command that raises an error."""
    group = Typer(cls=SentenceGroup)

    @group.callback()
    def hold() -> None:
        """Hold the command."""

    @group.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(group, ["fail"])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PresetUnavailableError("It is not here."), "It is not here."),
        (SettingsError("It is no port."), "It is no port."),
        (CommandError("It is there already."), "It is there already."),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/b"),
            "/a/b cannot be used: Permission denied.",
        ),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The system refused it: No space left"),
        (OSError("what"), "The system refused it: OSError."),
        (ImportError("No module named 'torch'", name="torch"), "torch cannot be imported (No mod"),
        (MemoryError(), "There is not enough memory; free some"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_error_becomes_a_sentence(error: Exception, sentence: str) -> None:
    """Its status is 1, and it has one line."""
    result = invoke(error)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {sentence}")
    assert result.stderr.count("\n") == 1


def test_fault_of_the_program_keeps_its_traceback() -> None:
    """Nobody else could mend it."""
    error = RuntimeError("a fault")
    assert invoke(error).exception is error


def test_reader_who_has_gone_is_told_nothing() -> None:
    """`fillmask presets list | head -1` is no failure to speak of."""
    result = invoke(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert (result.exit_code, result.output) == (1, "")


def test_what_is_answered_before_any_command_is_caught_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--help` on a full disk."""

    def write(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(SentenceGroup, "parse_args", write)
    group = Typer(cls=SentenceGroup)
    group.callback()(write)
    group.command()(write)
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 1
    assert "The system refused it: No space left on device." in result.output
