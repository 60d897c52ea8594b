"""A run that is killed goes on where it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[3]
_NEVER = 10**9
ROWS = 500


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file of rows, each a little other, one in seven without a mask."""
    path = tmp_path / "texts.txt"
    lines = (f"{'no' if n % 7 == 0 else '[MASK]'} cat {n}\n" for n in range(ROWS))
    path.write_text("".join(lines))
    return path


def start(directory: Path, batches: int, name: str = "out") -> "subprocess.Popen[str]":
    """Run the command; it is held after so many batches."""
    script = str(_TESTS / "held_run.py")
    files = ["--input", "texts.txt", "--output", f"{name}.jsonl", "--failed", f"{name}.failed"]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    paths = {"PYTHONPATH": f"{_TESTS}:{_TESTS.parent}", "FILLMASK_MAX_BATCH_SIZE": "10"}
    return subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, script, str(batches), "--preset", "tiny", *files],
        cwd=directory,
        env=inherited | paths,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(directory: Path, batches: int) -> bytes:
    """Kill a run that was held; return what it had written."""
    with start(directory, batches) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    return (directory / "out.jsonl").read_bytes()


def finish(directory: Path, name: str = "out") -> tuple[bytes, bytes, str]:
    """Run to the end; return the output, the failed rows, and what was said."""
    with start(directory, _NEVER, name) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    output, failed = (directory / f"{name}.{end}" for end in ("jsonl", "failed"))
    return output.read_bytes(), failed.read_bytes(), said


def test_run_that_is_killed_twice_is_as_if_it_had_not_been(source: Path) -> None:
    """Complete, in order, nothing twice; a torn last line is made anew, and so is a torn failure.

    What was written is kept.
    """
    directory = source.parent
    first = kill(directory, 8)
    assert first
    assert first.endswith(b"\n")
    (directory / "out.jsonl").write_bytes(first + b'{"preset":"tiny","resu')
    with (directory / "out.failed").open("ab") as file:
        file.write(b'{"error":"The te')
    second = kill(directory, 12)
    assert second.startswith(first)
    assert len(second) > len(first)
    with (directory / "out.failed").open("ab") as file:
        file.write(b'{"line":490,"error":"of a row whose answer was not written"}\n')
    output, failed, said = finish(directory)
    assert output.startswith(second)
    assert (output, failed) == finish(directory, "whole")[:2]
    assert output.count(b"\n") == ROWS
    assert said == "out.jsonl: 500 rows, 72 of them failed.\n"
    assert sorted(path.name for path in directory.iterdir()) == [
        *("out.failed", "out.jsonl", "texts.txt", "whole.failed", "whole.jsonl")
    ]
