"""The rows of a file in numbered blocks, which can be answered anywhere.

No batch has rows of two blocks. What a text shares its batch with moves the last digits of its
scores, so the same bytes come out wherever a block is answered, and however many are at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.commands.bulk.rows import Format, read_contents

BLOCK_ROWS = 2048
"""So many that what a block costs beside its rows is little: a batch or two that nothing runs
beside, and on a cluster some 10 ms."""
BLOCK_BYTES = 4 * 2**20
"""So few that a handful of blocks of long texts is no matter of memory."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow each other, at least one.

    Attributes:
        first: how many rows of the file come before them.
        contents: what stands in each; None where nobody kept it.
    """

    first: int
    contents: list[bytes | None]


@dataclass(frozen=True, slots=True)
class Source:
    """The rows that are left of a file.

    Attributes:
        path: the file.
        form: its format.
        column: the column of the texts, if one was named.
        row_bytes: how long a row may be.
        done: how many rows are done.
    """

    path: Path
    form: Format
    column: str | None
    row_bytes: int
    done: int

    def blocks(self) -> Iterator[Block]:
        """Yield its blocks, as it is read.

        Raises:
            CommandError: it is not of this format, or has no such column.
            OSError: it cannot be read.
        """
        contents = read_contents(self.path, self.form, self.column, self.row_bytes)
        return cut_into_blocks(contents, self.done)


def cut_into_blocks(contents: Iterable[bytes | None], done: int = 0) -> Iterator[Block]:
    """Yield the blocks of a file, without the rows that are done.

    Where a block ends depends on the file only, not on `done`.
    """
    first = size = 0
    rows: list[bytes | None] = []
    for content in contents:
        rows.append(content)
        size += len(content or b"")
        if len(rows) == BLOCK_ROWS or size >= BLOCK_BYTES:
            yield from _without(first, rows, done)
            first += len(rows)
            rows, size = [], 0
    yield from _without(first, rows, done)


def _without(first: int, rows: list[bytes | None], done: int) -> Iterator[Block]:
    begun = max(first, done)
    if left := rows[begun - first :]:
        yield Block(begun, left)
