"""The README's first command and its first request, on a machine that knows nothing of fillmask."""

import json
import logging
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from contract.documents import code_blocks
from front_door.newcomer import Newcomer, arrive, children

pytestmark = pytest.mark.front_door

_ANSWER_TIMEOUT_S = 900
_END_TIMEOUT_S = 100
_POLL_S = 1
_SCORE = re.compile(r'(?<="score": )[-+.\de]+')
_LARGEST_ERROR = 0.01
"""Processors differ in what they compute in; strings and ids do not."""

log = logging.getLogger(__name__)


def test_make_run_answers_as_the_readme_prints(tmp_path: Path) -> None:
    """A fresh clone with an empty home: `make run`, the README's curl, SIGTERM, 0."""
    newcomer = arrive(tmp_path)
    readme = str(newcomer.clone / "README.md")
    start, ask = code_blocks(readme, "sh")[:2]
    (printed,) = code_blocks(readme, "json")
    output = tmp_path / "make-run.log"
    with newcomer.start(start.splitlines()[0].partition("#")[0].strip(), output) as make:
        answer = ask_until_answered(newcomer, ask, make, output)
        presets = json.loads(newcomer.run("curl -s http://127.0.0.1:8000/presets").stdout)
        (server,) = children(make.pid)
        log.info("$ kill -TERM the server")
        os.kill(server, signal.SIGTERM)
        status = make.wait(_END_TIMEOUT_S)
    log.info("%s\nexit status %d", output.read_text(), status)
    assert _SCORE.sub("…", answer) == _SCORE.sub("…", printed)
    scores = [float(score) for score in _SCORE.findall(answer)]
    assert scores == pytest.approx(
        [float(score) for score in _SCORE.findall(printed)], abs=_LARGEST_ERROR
    )
    # A runtime that is not whole may be made good by a slower one: that is no full answer.
    engines = [preset["engine"] for preset in presets["presets"] if preset["engine"]]
    assert engines == ["openvino"]
    assert status == 0


def ask_until_answered(
    newcomer: Newcomer, ask: str, make: subprocess.Popen[bytes], output: Path
) -> str:
    """Send the README's request until somebody answers, and return what is printed.

    While nobody listens curl prints nothing. An error is an answer too, and the wrong one; only a
    first load may take longer than a request may.
    """
    log.info("$ %s", ask)
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while time.monotonic() < deadline and make.poll() is None:
        asked = newcomer.run(ask)
        if asked.returncode == 0 and json.loads(asked.stdout).get("code") != "timeout":
            log.info("%s", asked.stdout)
            return asked.stdout
        time.sleep(_POLL_S)
    message = f"Nobody answered; {make.args} says:\n{output.read_text()}"
    raise AssertionError(message)
