"""Reading the project's own documents."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CELL = re.compile(r"`([^`]*)`")


def read(path: str) -> str:
    """Return a document of the repository."""
    return (ROOT / path).read_text("utf-8")


def read_tables(path: str, first_column: str) -> list[list[str]]:
    """Return the rows of every Markdown table whose first column has that title."""
    rows: list[list[str]] = []
    wanted = False
    for line in read(path).splitlines():
        if not line.startswith("|"):
            wanted = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == first_column:
            wanted = True
        elif wanted and not set(cells[0]) <= {"-"}:
            rows.append(cells)
    return rows


def quoted(cell: str) -> list[str]:
    """Return what stands in backticks in a cell, in order."""
    return _CELL.findall(cell)


def code_blocks(path: str, language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(path), re.DOTALL | re.MULTILINE)
