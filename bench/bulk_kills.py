"""A million rows through `fillmask run`, killed twice and gone on with: whole, in order, flat.

    python -m bench.bulk_kills [ROWS]

Every row has a number, so that its answer is known by it. One in a thousand has no mask.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep

from bench.shapes import TINY, make_presets

_CACHE = Path(__file__).with_name(".cache")
_FILLMASK = Path(sys.executable).with_name("fillmask")
_LOOK_S = 0.5
_KIB = 1024


@dataclass(slots=True)
class Part:
    """One process of the run.

    Attributes:
        rows: how many rows it answered.
        seconds: from its start to its end, loading included.
        memory: its resident bytes, over time.
    """

    rows: int = 0
    seconds: float = 0.0
    memory: list[int] = field(default_factory=list)


def make_row(number: int) -> str:
    """Return the text of a row."""
    return f"The {'house' if number % 1000 == 0 else '[MASK]'} has the number {number}."


def write_texts(path: Path, rows: int) -> None:
    """Write so many rows."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{make_row(number)}\n" for number in range(1, rows + 1))


def run_until(directory: Path, bytes_: float, store: Path = _CACHE) -> Part:
    """Run the command until its output has so many bytes, then kill it; or to its end."""
    output = directory / "answers.jsonl"
    files = ["--input", "texts.txt", "--output", output.name, "--failed", "failed.jsonl"]
    settings = {
        "FILLMASK_MODEL_STORE_DIR": str(store / "presets"),
        "FILLMASK_CACHE_DIR": str(store / "converted"),
    }
    part, started, before = Part(), perf_counter(), count_lines(output)
    command = [str(_FILLMASK), "run", "--preset", TINY.name, "--top-k", "1", *files]
    process = subprocess.Popen(command, cwd=directory, env=os.environ | settings)  # nosec B603
    while process.poll() is None:
        sleep(_LOOK_S)
        part.memory.append(read_memory(process.pid))
        if output.exists() and output.stat().st_size > bytes_:
            process.send_signal(signal.SIGKILL)
            process.wait()
    part.seconds = perf_counter() - started
    part.rows = count_lines(output) - before
    return part


def read_memory(pid: int) -> int:
    """Return the resident bytes of a process; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def count_lines(path: Path) -> int:
    """Return how many whole lines a file has."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(line.endswith(b"\n") for line in file)


def verify(directory: Path, rows: int) -> int:
    """Hold each line against its row; return how many failed as they should.

    Raises:
        AssertionError: one is missing, twice there, or not in its place.
    """
    failed = 0
    with (directory / "answers.jsonl").open("rb") as answers:
        number = 0
        for number, line in enumerate(answers, 1):  # counted after its end
            answer = json.loads(line)
            if number % 1000 == 0:
                failed += 1
                is_right = answer["code"] == "mask_not_found" and answer["line"] == number
            else:
                (mask,) = answer["results"][0]["masks"]
                sequence = mask["predictions"][0]["sequence"]
                is_right = sequence.endswith(f" has the number {number}.")
            if not is_right:
                message = f"line {number} is {answer}"
                raise AssertionError(message)
    listed = (directory / "failed.jsonl").read_bytes().splitlines()
    lines = [json.loads(line)["line"] for line in listed]
    if number != rows or lines != list(range(1000, rows + 1, 1000)):
        message = f"{number} lines, {len(lines)} failed"
        raise AssertionError(message)
    return failed


def main() -> None:
    """Run, kill, go on, verify; print a line for each process."""
    rows = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    make_presets(_CACHE / "presets", (TINY,))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_texts(directory / "texts.txt", rows)
        # About so long is a line.
        for bytes_ in (rows * 85, rows * 170, float("inf")):
            part = run_until(directory, bytes_)
            memory = [each // _KIB // _KIB for each in part.memory if each]
            marks = [memory[round(share * (len(memory) - 1))] for share in (0.25, 0.5, 0.75, 1.0)]
            print(
                f"{part.rows} rows in {part.seconds:.0f} s, {part.rows / part.seconds:.0f} rows/s; "
                f"MiB at a quarter, half, three quarters, end: {marks}, most {max(memory)}",
                flush=True,
            )
        print(f"{rows} lines, each in its place, {verify(directory, rows)} failed as they should")


if __name__ == "__main__":
    main()
