"""Somebody who reads a page from top to bottom and pastes all that it shows."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from documents.answers import compare, is_refusal
from documents.blocks import Block, read_blocks
from documents.ways import SHELLS, SHORTER, runs_here, why_not
from e2e.running_server import start_server

SHOWN_URL = "http://127.0.0.1:8000"
_SERVE = re.compile(r"^((?:\w+=\S+ )*)(?:fillmask serve|make run)\s*(?:#.*)?$")
"""What starts a server, behind variables that are set for it."""

_SHELL = """
set -euo pipefail
curl() { command curl --no-progress-meter --write-out '%{stderr}%{http_code}\\n' "$@"; }
"""
"""Each answer's status goes to stderr, line by line."""

_PYTHON = """
import json, sys
names = {"__name__": "__main__"}
for line in sys.stdin:
    exec(compile(json.loads(line), "the page", "exec"), names)
    print("\\0", flush=True)
"""
"""Runs block after block with the same names, and says when one is done."""

_PATIENCE_S = 300


class Walk:
    """A page in a directory of its own, with the commands of this environment first.

    Args:
        url: a server for pages that start none.
        directory: where the reader is. What is beside it in `converted` is shared by all walks.
        environment: what the reader's shell has, over the environment of the tests.
    """

    def __init__(self, url: str, directory: Path, environment: Mapping[str, str]) -> None:
        """See the class."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        cache = {"FILLMASK_CACHE_DIR": str(directory.parent / "converted")}
        self._url = url
        self._directory = directory
        self._environment = {**inherited, "PATH": programs, **cache, **environment}
        self._python: subprocess.Popen[str] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started."""
        self._stack.close()

    def read(self, page: str) -> None:
        """Run what a page shows, and compare what comes out with what it shows."""
        self.read_blocks(read_blocks(page))

    def read_blocks(self, blocks: Iterable[Block]) -> None:
        """Do the same for some blocks."""
        for block in filter(runs_here, blocks):
            said = self._paste(block) if block.language in SHELLS else self._run_python(block)
            if block.said:
                compare(said, block.said)

    def _paste(self, block: Block) -> str:
        said, script = "", ""
        for shown in block.lines:
            line = self._adapt(shown)
            if why_not(shown):
                continue
            if serves := _SERVE.match(line):
                said += self._run_shell(block, script)
                script = ""
                self._serve(dict(word.split("=", 1) for word in serves[1].split()))
            else:
                script += f"{line}\n"
        return said + self._run_shell(block, script)

    def _adapt(self, text: str) -> str:
        """Return a command with the places of this machine, and less of what takes days."""
        shorter = {
            SHOWN_URL: self._url,
            ".venv/bin/": "",
            "/path/to": str(self._directory / "given"),
            **SHORTER,
        }
        for shown, here in shorter.items():
            text = text.replace(shown, here)
        return text

    def _serve(self, environment: Mapping[str, str]) -> None:
        started = start_server({"FILLMASK_OFFLINE": "1", **environment}, self._directory)
        self._url = self._stack.enter_context(started).url

    def _run_shell(self, block: Block, script: str) -> str:
        if not script:
            return ""
        done = subprocess.run(  # noqa: S603  # what our own documents show
            ["bash", "-c", _SHELL + script],  # noqa: S607  # whichever there is
            env=self._environment,
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        for status in re.findall(r"^\d{3}$", done.stderr, re.MULTILINE):
            refused = int(status) >= 400
            assert refused == is_refusal(block.said), f"{block}: {status}\n{done.stdout}"
        return done.stdout

    def _run_python(self, block: Block) -> str:
        python = self._python = self._python or self._start_python()
        assert python.stdin
        assert python.stdout
        limit = threading.Timer(_PATIENCE_S, python.kill)
        limit.start()
        python.stdin.write(json.dumps(self._adapt(block.text)) + "\n")
        python.stdin.flush()
        said = ""
        for line in python.stdout:
            if line == "\0\n":
                limit.cancel()
                return said
            said += line
        limit.cancel()
        message = f"{block} did not end well:\n{said}{(self._directory / 'stderr').read_text()}"
        raise AssertionError(message)

    def _start_python(self) -> subprocess.Popen[str]:
        errors = self._stack.enter_context((self._directory / "stderr").open("w"))
        python = subprocess.Popen(  # noqa: S603  # as above
            [sys.executable, "-c", _PYTHON],
            env=self._environment,
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        self._stack.enter_context(python)
        self._stack.callback(python.kill)
        return python
