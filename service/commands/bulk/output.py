"""The output of a run, and what is known of one that was killed.

OUTPUT        a line for each row of the input, in order
OUTPUT.run    what the run was asked, for as long as it is not done
FAILED        the rows that failed, each with its error

A row is done when its line is whole in OUTPUT. FAILED is written first, so that it lacks nothing;
what it has too much is cut. Nothing else has to be remembered: a run goes on at the row after the
last whole line.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from service.commands.sentences import CommandError

ERROR_START = b'{"error":'
"""How the line of a row begins that failed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked; one that goes on must be asked the same.

    Attributes:
        input: the digest of its content.
        format: what it was read as.
        column: the column of the texts, if one was named.
        preset: the model.
        top_k: how many predictions a mask, if that was said.
        failed: the file of failed rows, if there is one.
    """

    input: str
    format: str
    column: str | None
    preset: str
    top_k: int | None
    failed: str | None


class Output:
    """Where the lines of a run go.

    Attributes:
        rows: how many are done.
        failed: how many of these failed.
    """

    def __init__(self, output: BinaryIO, failed: BinaryIO | None, rows: int, errors: int) -> None:
        """Go on after so many rows."""
        self._output = output
        self._failed_file = failed
        self.rows = rows
        self.failed = errors

    def write(self, lines: Sequence[bytes], failed: Sequence[bytes]) -> None:
        """Add the lines of the next rows, and those of them that failed."""
        if self._failed_file is not None and failed:
            _append(self._failed_file, failed)
        _append(self._output, lines)
        self.rows += len(lines)
        self.failed += len(failed)


@contextmanager
def open_output(output: Path, failed: Path | None, order: Order) -> Iterator[Output]:
    """Begin an output, or go on with one; what is known of the run goes when the block ends well.

    Raises:
        ClickException: the output is that of something else, or another run writes it.
        OSError: it cannot be written.
    """
    state = output.with_name(f"{output.name}.run")
    lock = output.with_name(f"{output.name}.run.lock")
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(lock, timeout=0))
        except Timeout:
            message = f"Another run writes {output}; let it end, or name another file."
            raise CommandError(message) from None
        _require_own(output, failed, state, order)
        rows = errors = 0
        if output.exists():
            rows, errors = _count_whole(output)
        else:
            output.touch()
        failed_file = None
        if failed is not None:
            failed.touch()
            _cut(failed, lambda line: json.loads(line)["line"] <= rows)
            failed_file = stack.enter_context(failed.open("ab"))
        output_file = stack.enter_context(output.open("ab"))
        yield Output(output_file, failed_file, rows, errors)
        state.unlink()
        lock.unlink(missing_ok=True)


def _require_own(output: Path, failed: Path | None, state: Path, order: Order) -> None:
    """Leave files alone that this run has not begun, and note what it is from now on."""
    if not state.exists():
        for path in (output, failed):
            if path is not None and path.exists() and path.stat().st_size:
                message = f"{path} is there already; remove it, or name another file."
                raise CommandError(message)
        _write_whole(state, json.dumps(asdict(order)))
        return
    begun = json.loads(state.read_text("utf-8"))
    other = [name for name, value in asdict(order).items() if begun.get(name) != value]
    if "input" in other:
        message = f"The input has changed since {output} was begun; remove {output} and {state}."
        raise CommandError(message)
    if other:
        message = (
            f"{output} was begun with another {', '.join(other)}; give the same to go on, or "
            f"remove {output} and {state}."
        )
        raise CommandError(message)


def _write_whole(path: Path, content: str) -> None:
    """Write a file that is there as a whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(content, "utf-8")
    new.replace(path)


def _count_whole(path: Path) -> tuple[int, int]:
    """Cut a torn last line, and return how many lines there are and how many of them are errors."""
    errors = 0

    def count(line: bytes) -> bool:
        nonlocal errors
        errors += line.startswith(ERROR_START)
        return True

    return _cut(path, count), errors


def _cut(path: Path, keep: Callable[[bytes], bool]) -> int:
    """Cut a file at the first line that is torn or not to be kept; return how many there are."""
    lines = end = 0
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n") or not keep(line):
                break
            lines += 1
            end += len(line)
        file.truncate(end)
    return lines


def _append(file: BinaryIO, lines: Sequence[bytes]) -> None:
    file.write(b"".join(lines))
    # From here on the system has it, whoever kills this process.
    file.flush()
