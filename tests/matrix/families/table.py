"""The table of `docs/families.md`: every row, and what comes of it in each family."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from matrix.families.cases import list_rows
from matrix.families.judge import read_golden
from matrix.families.usual import FAMILIES
from matrix.judge import EQUAL, REFUSED, SILENTLY_DIFFERENT, Verdict
from matrix.row import Case, Row

DOCUMENT = Path(__file__).parents[3] / "docs" / "families.md"
_TWIN = "as"
_MARKS = {EQUAL: "equal", REFUSED: "refused", SILENTLY_DIFFERENT: "DIFFERENT"}


def render(verdicts: Mapping[str, Verdict]) -> str:
    """Return the figures, and a table for each kind of difference."""
    counts = Counter(verdict.outcome for verdict in verdicts.values())
    lines = [
        "| | |",
        "|---|---|",
        f"| cases: rows in each of their families and files | {len(verdicts)} |",
        f"| equal to Transformers | {counts[EQUAL]} |",
        f"| refused with a sentence | {counts[REFUSED]} |",
        f"| silently different | {counts[SILENTLY_DIFFERENT]} |",
    ]
    kinds: dict[str, dict[str, dict[str, Row]]] = {}
    for family, usual in FAMILIES.items():
        for kind, rows in list_rows(usual).items():
            for row in rows:
                kinds.setdefault(kind, {}).setdefault(row.what, {})[family] = row
    for kind, listed in kinds.items():
        families = [f for f in FAMILIES if any(f in rows for rows in listed.values())]
        lines += [
            "",
            f"### {kind.capitalize()}",
            "",
            f"| what differs | {' | '.join(families)} | the sentence, of the first refusal |",
            f"|---|{'---|' * len(families)}---|",
        ]
        lines += [_render_row(what, rows, families, verdicts) for what, rows in listed.items()]
    return "\n".join(lines) + "\n"


def _render_row(
    what: str, rows: Mapping[str, Row], families: list[str], verdicts: Mapping[str, Verdict]
) -> str:
    """Return the line of a row: an outcome for each family, and a sentence."""
    cells, sentence = [], ""
    for family in families:
        row = rows.get(family)
        cases = [Case(family, row, layout) for layout in row.layouts] if row else []
        sentence = sentence or next(filter(None, (verdicts[c.name].why for c in cases)), "")
        outcomes = dict.fromkeys(_describe(case, verdicts[case.name]) for case in cases)
        cells.append(", ".join(outcomes))
    sentence = sentence.replace("|", "\\|")
    return f"| {what} | {' | '.join(cells)} | {sentence} |"


def _describe(case: Case, verdict: Verdict) -> str:
    has_answers = "answers" in read_golden()["cases"][case.name]
    if verdict.outcome == EQUAL and not has_answers:
        return f"as \u201c{case.row.twin}\u201d"
    return _MARKS[verdict.outcome]
