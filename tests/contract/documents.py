"""Reading the project's own documents."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
)
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


def commands(path: str) -> list[list[str]]:
    """Return the commands of a document's shell blocks as words, in order; pipes are words too."""
    lines = [
        line
        for block in code_blocks(path, "sh")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment at the root of the repository."""
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    return subprocess.run(  # noqa: S603  # tools of the test group
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
