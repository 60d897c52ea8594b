"""How a command ends that cannot do what it is asked to: with a sentence, and the status 1."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer import Exit, echo
from typer.core import TyperGroup

from model_store.errors import ModelStoreError
from service.commands.environment import SettingsError, find_unknown_settings


class CommandError(Exception):
    """What a command cannot do; the message is a sentence."""


class SentenceGroup(TyperGroup):
    """Commands whose users never see a traceback, but for what is a fault of the program."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the arguments; some are answered already here, as `--help` is."""
        with _told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with _told():
            return super().invoke(ctx)


def describe(error: Exception) -> str | None:
    """Return what to tell of an error, or None where it is the program's own."""
    match error:
        case ModelStoreError() | SettingsError() | CommandError():
            return str(error)
        case OSError() if error.errno != errno.EPIPE:  # who reads has gone: typer ends it quietly
            return _describe_os_error(error)
        case ImportError(name=str(name)):
            return (
                f"{name} cannot be imported ({error}); install it, or let KERAS_BACKEND and "
                "FILLMASK_ENGINE name what is installed."
            )
        case MemoryError():
            return "There is not enough memory; free some, or ask for less at a time."
    return None


def warn_of_unknown_settings() -> None:
    """Tell whoever runs a command of variables that look like settings and are none."""
    for variable, likely in find_unknown_settings().items():
        hint = f"; did you mean {likely}?" if likely else "."
        echo(f"Warning: {variable} is no setting{hint}", err=True)


@contextmanager
def in_sentences() -> Iterator[None]:
    """Make a sentence of what is raised, where a person can act on it.

    Raises:
        CommandError: what was raised, as a sentence.
    """
    try:
        yield
    except Exception as error:
        sentence = describe(error)
        if sentence is None:
            raise
        raise CommandError(sentence) from error


@contextmanager
def _told() -> Iterator[None]:
    """Tell the sentence of what is raised, and end with the status 1."""
    try:
        with in_sentences():
            yield
    except CommandError as error:
        echo(f"Error: {error}", err=True)
        raise Exit(1) from error


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    if error.filename is None:
        return f"The system refused it: {reason}."
    return f"{error.filename} cannot be used: {reason}."
