"""`fillmask predict` and `fillmask score` on a model whose engine is none."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fakes import FakeStore, make_preset
from service.commands.ask import question
from service.commands.ask.shown import Draw, show
from service.commands.cli import app

Invoke = Callable[..., Result]
See = Callable[[dict[str, Any], Draw], list[str]]


class Screen(io.StringIO):
    """An output that somebody is looking at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Return the store of the commands."""
    store = FakeStore([make_preset("tiny"), make_preset("other")])
    monkeypatch.setattr(question, "create_store", lambda _: store)
    return store


@pytest.fixture
def invoke(store: FakeStore) -> Invoke:
    """Return what runs a command in a pipe."""
    assert store.presets()

    def run(*words: str, given: str | bytes = "", **settings: str) -> Result:
        environment = {"FILLMASK_DEFAULT_PRESET": "tiny"} | settings
        return CliRunner().invoke(app, words, input=given, env=environment, prog_name="fillmask")

    return run


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> See:
    """Return what shows an answer on a terminal, and returns the lines there."""

    def see(answer: dict[str, Any], draw: Draw) -> list[str]:
        screen = Screen()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setenv("TERM", "dumb")
            patch.setenv("COLUMNS", "80")
            show(answer, draw)
        return [line.rstrip() for line in screen.getvalue().splitlines()]

    return see
