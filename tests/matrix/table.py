"""The table of `docs/checkpoints.md`: every row, the files it is tried in, and what comes of it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from matrix.cases import PARTS
from matrix.judge import EQUAL, REFUSED, SILENTLY_DIFFERENT, Verdict, read_golden
from matrix.row import Case, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "checkpoints.md"
START, END = "<!-- table: start -->", "<!-- table: end -->"


def splice(document: str, table: str) -> str:
    """Return a document with another table between its marks."""
    before, _, rest = document.partition(START)
    return f"{before}{START}\n\n{table}\n{END}{rest.partition(END)[2]}"


def render(verdicts: Mapping[str, Verdict]) -> str:
    """Return the figures and one table for each part."""
    rows = sum(len(rows) for rows, _ in PARTS.values())
    counts = Counter(verdict.outcome for verdict in verdicts.values())
    lines = [
        "| | |",
        "|---|---|",
        f"| rows | {rows} |",
        f"| cases: rows in each of their layouts | {len(verdicts)} |",
        f"| equal to Transformers | {counts[EQUAL]} |",
        f"| refused with a sentence | {counts[REFUSED]} |",
        f"| silently different | {counts[SILENTLY_DIFFERENT]} |",
    ]
    for part, (listed, usual) in PARTS.items():
        lines += [
            "",
            f"### {part.capitalize()}",
            "",
            "| what differs | files | outcome |",
            "|---|---|---|",
        ]
        for row in listed:
            lines += _render_row(part, row, usual, verdicts)
    return "\n".join(lines) + "\n"


def _render_row(
    part: str, row: Row, usual: tuple[str, ...], verdicts: Mapping[str, Verdict]
) -> list[str]:
    """Return a line for each outcome of a row."""
    layouts: dict[str, list[str]] = {}
    for layout in row.layouts or usual:
        case = Case(part, row, layout)
        layouts.setdefault(_describe(case, verdicts[case.name]), []).append(layout)
    return [
        f"| {row.what} | {', '.join(names)} | {outcome} |" for outcome, names in layouts.items()
    ]


def _describe(case: Case, verdict: Verdict) -> str:
    if verdict.outcome == REFUSED:
        return "refused: " + verdict.why.replace("|", "\\|")
    has_answers = "answers" in read_golden()["cases"][case.name]
    if verdict.outcome == EQUAL and not has_answers:
        return f"as \u201c{case.row.twin}\u201d; Transformers cannot"
    return verdict.outcome
