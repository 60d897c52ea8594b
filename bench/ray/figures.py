"""What was measured, and how it is printed and kept."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.machine import describe_load, describe_machine, read_commit
from bench.table import add_to_log


@dataclass(frozen=True, slots=True)
class Figures:
    """A table, and what it says.

    Attributes:
        title: what was measured.
        choice: of what, and why of that.
        expected: what should come out, written before.
        head: the names of the columns.
        rows: a row each; the first column is text and the others are figures.
    """

    title: str
    choice: str
    expected: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]

    def write_table(self) -> str:
        """Return the table as Markdown."""
        rule = ["---", *("---:" for _ in self.head[1:])]
        return "\n".join(
            f"| {' | '.join(map(str, row))} |" for row in (self.head, rule, *self.rows)
        )

    def write_entry(self) -> str:
        """Return an entry of the log, but for what is learnt, which people write."""
        return (
            f"## {datetime.now(UTC):%Y-%m-%d}: {self.title}\n\n"
            f"{describe_machine()} Load after it {describe_load()}. "
            f"`python -m bench.ray {' '.join(sys.argv[1:])}`, commit {read_commit()}. "
            f"{self.choice}\n\n"
            f"Expected: {self.expected}\n\n{self.write_table()}\n"
        )

    def keep(self) -> None:
        """Put it into the log."""
        add_to_log(self.write_entry())
