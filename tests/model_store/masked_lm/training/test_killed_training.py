"""A training that is killed again and again ends as if nothing had happened."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.trainer import train

MakeOptions = Callable[..., TrainingOptions]
ROOT = Path(__file__).parents[4]
LONGEST_DELAY_S = 0.05
"""About as long as a step takes: no moment of one is spared."""


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 10])
def test_killed_training_goes_on(kills: int, make_options: MakeOptions, tmp_path: Path) -> None:
    """SIGKILL at random moments, and in the middle of saving too: not a byte is another."""
    # A run that is killed after ten lines has made six steps at most, and the last run some more.
    options = make_options(steps=6 * kills + 2, sequence_length=16)  # one shape, one graph
    undisturbed = replace(options, out=tmp_path / "undisturbed")
    rng = random.Random(0)  # noqa: S311  # nothing is secret
    for _ in range(kills):
        kill_after_lines(options, rng.randint(1, 10), rng.random() * LONGEST_DELAY_S)
    (options.out / "training" / "state.unfinished").write_bytes(b"half of a state")
    train(options)
    train(undisturbed)
    assert read_losses(options.out) == read_losses(undisturbed.out)
    for path in sorted(undisturbed.out.glob("*.*")):
        assert (options.out / path.name).read_bytes() == path.read_bytes(), path.name


def read_losses(out: Path) -> list[tuple[str, int, float]]:
    """Return what a training has logged, but for its speed."""
    lines = (out / "training" / "log.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [(record["event"], record["step"], record["loss"]) for record in records]


def kill_after_lines(options: TrainingOptions, lines: int, delay_s: float) -> None:
    """Train in a process of its own and kill it soon after it has reported so many lines."""
    code = (
        "from pathlib import Path, PosixPath\n"
        "from model_store.masked_lm.training.options import TrainingOptions\n"
        "from model_store.masked_lm.training.trainer import train\n"
        f"train({options!r}, lambda record: print(record, flush=True))\n"
    )
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and text
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
