"""Ratios as JSON, a folder a kind of machine, and the page that is made of them.

python -m bench.record        writes bench/results/README.md anew
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import describe_load, describe_machine, name_kind, read_commit

RESULTS = Path(__file__).parent / "results"
_HEAD = """# Ratios, by kind of machine

Written by `python -m bench` and `python -m bench.ratios`; only ratios of one run mean anything.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A ratio and the two figures behind it.

    Attributes:
        what: what was measured, and its unit.
        ours: our figure.
        against: whose the other one is; empty where `what` says it.
        theirs: the other figure.
        ratio: ours over theirs; where rounds have ratios of their own, their median.
    """

    what: str
    ours: float
    against: str
    theirs: float
    ratio: float


def keep(name: str, rows: list[Row], command: str, results: Path = RESULTS) -> Path:
    """Write what was found under the kind of this machine, and the page anew."""
    folder = results / name_kind()
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": describe_machine(),
        "load_after": describe_load(),
        "commit": read_commit(),
        "command": command,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "rows": [asdict(row) for row in rows],
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (results / "README.md").write_text(write_page(results), "utf-8")
    return file


def write_page(results: Path = RESULTS) -> str:
    """Return every kind's results as Markdown."""
    parts = [_HEAD]
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        files = sorted(folder.glob("*.json"))
        if files:
            parts.append(f"## {folder.name}\n")
        parts += [_write_run(json.loads(file.read_text("utf-8"))) for file in files]
    return "\n".join(parts)


def _write_run(run: dict[str, object]) -> str:
    rows = [Row(**row) for row in run["rows"]]  # type: ignore[attr-defined]
    about = f"`{run['command']}`, commit {run['commit']}, {run['date']}. {run['machine']}"
    return f"{about} Load after it {run['load_after']}.\n\n{write_rows(rows)}\n"


def write_rows(rows: list[Row]) -> str:
    """Return a Markdown table; the first column is text and the others figures."""
    lines = ["| what | ours | against | ratio |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        theirs = f"{row.theirs:.1f} {row.against}".rstrip()
        lines.append(f"| {row.what} | {row.ours:.1f} | {theirs} | {row.ratio:.2f} |")
    return "\n".join(lines).replace(" nan ", " not measured ")


if __name__ == "__main__":
    (RESULTS / "README.md").write_text(write_page(), "utf-8")
