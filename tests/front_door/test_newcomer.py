"""The README's first command and its five things, on a machine that knows nothing of fillmask."""

import json
import logging
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from documents.answers import compare
from documents.blocks import Block, read_blocks
from front_door.newcomer import Newcomer, arrive, children

pytestmark = pytest.mark.front_door

THINGS = 5
_HEADING = "## Five things to try"
_ANSWER_TIMEOUT_S = 900
_END_TIMEOUT_S = 100
_POLL_S = 1

log = logging.getLogger(__name__)


def test_readme_is_as_it_says(tmp_path: Path) -> None:
    """A fresh clone with an empty home: `make run`, five things to try, SIGTERM, 0."""
    newcomer = arrive(tmp_path)
    start, things = read_readme(newcomer.clone / "README.md")
    assert start == "make run"
    assert len(things) == THINGS
    output = tmp_path / "make-run.log"
    with newcomer.start(start, output) as make:
        wait_for_an_answer(newcomer, things[0], make, output)
        for thing in things:
            said = try_out(newcomer, thing)
            assert said.returncode == 0, said.stderr
            assert thing.said, thing
            compare(said.stdout, thing.said)
        presets = json.loads(newcomer.run("curl -s http://127.0.0.1:8000/presets").stdout)
        (server,) = children(make.pid)
        log.info("$ kill -TERM the server")
        os.kill(server, signal.SIGTERM)
        status = make.wait(_END_TIMEOUT_S)
    log.info("%s\nexit status %d", output.read_text(), status)
    # A runtime that is not whole may be made good by a slower one: that is no full answer.
    engines = [preset["engine"] for preset in presets["presets"] if preset["engine"]]
    assert engines == ["openvino"]
    assert status == 0


def read_readme(readme: Path) -> tuple[str, list[Block]]:
    """Return the first command, and what is to be tried, in order."""
    lines = readme.read_text("utf-8").splitlines()
    begin = lines.index(_HEADING)
    end = next(n for n, line in enumerate(lines) if n > begin and line.startswith("## "))
    blocks = read_blocks(str(readme))
    tried = [block for block in blocks if begin < block.line < end]
    start = blocks[0].lines[0].partition("#")[0].strip()
    return start, [block for block in tried if block.language in {"sh", "python"}]


def try_out(newcomer: Newcomer, thing: Block) -> subprocess.CompletedProcess[str]:
    """Do a thing as the README says, and write down what comes of it."""
    script = thing.text
    if thing.language == "python":
        script = f".venv/bin/python -c {shlex.quote(thing.text)}"
    log.info("$ %s", script)
    done = newcomer.run(script)
    log.info("%s", done.stdout)
    return done


def wait_for_an_answer(
    newcomer: Newcomer, ask: Block, make: subprocess.Popen[bytes], output: Path
) -> None:
    """Send the first request until somebody answers.

    While nobody listens curl prints nothing. An error is an answer too, and the wrong one; only a
    first load may take longer than a request may.
    """
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while time.monotonic() < deadline and make.poll() is None:
        asked = newcomer.run(ask.text)
        if asked.returncode == 0 and json.loads(asked.stdout).get("code") != "timeout":
            return
        time.sleep(_POLL_S)
    message = f"Nobody answered; {make.args!r} says:\n{output.read_text()}"
    raise AssertionError(message)
