"""`fillmask run` on a model whose engine is none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fakes import FakeStore, make_preset
from service.commands.bulk import question
from service.commands.cli import app

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Return the store of the command."""
    store = FakeStore([make_preset("tiny"), make_preset("other")])
    monkeypatch.setattr(question, "create_store", lambda _: store)
    return store


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Return what runs the command in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(source: str, *arguments: str, output: str = "out.jsonl", **settings: str) -> Result:
        environment = {"FILLMASK_DEFAULT_PRESET": "tiny"} | settings
        words = ["run", "--input", source, "--output", output, *arguments]
        return CliRunner().invoke(app, words, env=environment, prog_name="fillmask")

    return run
