"""Clients that are generated from the OpenAPI document have types that hold, and are answered."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clients.questions import Caller, Prediction, Question, RefusedError
from clients.table import (
    REFUSED,
    Refusal,
    check_overload,
    check_predictions,
    check_refusal,
    each_answered,
)
from contract.documents import code_blocks
from e2e.running_server import RunningServer

HERE = Path(__file__).parent
TYPESCRIPT = HERE.parent / "generated_typescript"
DOCUMENT = HERE.parents[2] / "openapi.yaml"
PATIENCE_S = 300

MYPY = [sys.executable, "-m", "mypy", "--strict", "fillmask_client"]
TSC = ["node_modules/.bin/tsc", "--project", "."]
SHOWN = {
    "python": ("python", "shown.py", "shown.py", [*MYPY, "shown.py"]),
    "typescript": ("ts", "shown.ts", "shown.js", TSC),
}
"""The language of a block, its file, what is run of it, and what looks at its types."""

pytestmark = pytest.mark.clients
each_client = pytest.mark.parametrize("client", ["python", "typescript"])


def run(command: Sequence[str | Path], directory: Path, stdin: str = "") -> str:
    """Return what a command prints; it has nothing to complain of."""
    done = subprocess.run(  # noqa: S603  # our own commands
        command,
        cwd=directory,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=os.environ | {"no_proxy": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """Generate a package, and return the command that asks with it; its types are checked."""
    directory = tmp_path_factory.mktemp("python")
    generator = Path(sys.executable).with_name("openapi-python-client")
    options = ["--config", HERE / "python_client.yaml", "--meta", "none", "--fail-on-warning"]
    package = directory / "fillmask_client"
    run([generator, "generate", "--path", DOCUMENT, "--output-path", package, *options], directory)
    shutil.copy(HERE / "ask.py", directory)
    run([*MYPY, "ask.py"], directory)
    return [sys.executable, directory / "ask.py"]


@pytest.fixture(scope="session")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """Generate types, and return the command that asks with them; they are checked."""
    directory = tmp_path_factory.mktemp("typescript")
    for name in ("ask.ts", "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, directory)
    (directory / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    generator = "node_modules/.bin/openapi-typescript"
    options = ["--default-non-nullable=false", "-o", "schema.d.ts"]
    said = run([generator, DOCUMENT, *options], directory)
    assert "warn" not in said.lower()
    run(TSC, directory)
    return ["node", directory / "ask.js"]


@pytest.fixture
def caller(client: str, request: pytest.FixtureRequest) -> Caller:
    """Return what asks with a generated client, in a process of its own."""
    command: list[str | Path] = request.getfixturevalue(f"{client}_client")

    def ask(question: Question) -> list[list[Prediction]]:
        asked = {
            "url": question.url,
            "key": question.key,
            "body": {"inputs": question.texts, "preset": question.model} | question.parameters,
            "timeout_s": question.timeout_s,
        }
        answer = json.loads(run(command, HERE, json.dumps(asked)))
        if "error" in answer:
            assert answer["code"]
            raise RefusedError(answer["status"], answer["error"])
        return [[(token, entry, score) for token, entry, score in m] for m in answer["predictions"]]

    return ask


@each_client
@each_answered
def test_predictions_are_the_native_ones(
    server: RunningServer, caller: Caller, texts: Sequence[str], parameters: dict[str, Any]
) -> None:
    """For one text or several, one mask or several, with targets or without."""
    check_predictions(server, caller, texts, parameters)


@each_client
@pytest.mark.parametrize("refusal", REFUSED)
def test_refusals_are_typed(server: RunningServer, caller: Caller, refusal: Refusal) -> None:
    """With the server's status, code and sentence."""
    check_refusal(server, caller, refusal)


@each_client
def test_document_shows_how_to_ask(
    server: RunningServer, client: str, request: pytest.FixtureRequest
) -> None:
    """What docs/clients.md has passes the strictest checks too, and prints what stands below."""
    interpreter, ask = request.getfixturevalue(f"{client}_client")
    kind, source, script, check = SHOWN[client]
    directory = Path(ask).parent
    [block] = code_blocks("docs/clients.md", kind)
    shown = block.replace("http://127.0.0.1:8000", server.url).replace("KEY", "key")
    (directory / source).write_text(shown, "utf-8")
    run(check, directory)
    printed = run([interpreter, directory / script], directory)
    assert [printed] * 2 == code_blocks("docs/clients.md", "text")


@each_client
def test_overload_is_typed(narrow_server: RunningServer, caller: Caller) -> None:
    """Another connection is all that the server takes."""
    check_overload(narrow_server, caller)
