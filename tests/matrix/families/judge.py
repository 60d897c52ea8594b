"""What fillmask makes of a case of a family, held against what Transformers answers."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from matrix.families.cases import find_twin, list_texts
from matrix.families.usual import write_case
from matrix.judge import REFUSED, Verdict, compare_texts, make_model
from matrix.row import Case
from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelStoreError

GOLDEN = Path(__file__).parents[2] / "golden" / "family_checkpoints.json"


@cache
def read_golden() -> dict[str, Any]:
    """Return what Transformers answers, and the usual configurations."""
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def find_answers(case: Case) -> list[Any] | None:
    """Return Transformers' answers to a case, or to its twin where it has none."""
    golden, twin = read_golden(), find_twin(case)
    entry = golden["cases"][case.name]
    if "answers" not in entry and twin:
        entry = golden["cases"][twin.name]
    key = entry.get("answers")
    return None if key is None else list(golden["answers"][key])


def judge(case: Case, directory: Path) -> Verdict:
    """Write a case, read it as a server does, and compare its answers."""
    try:
        checkpoint = read_checkpoint(write_case(case, directory, read_golden()["usual"][case.part]))
    except ModelStoreError as error:
        return Verdict(REFUSED, str(error))
    return compare_texts(make_model(checkpoint), list_texts(case), find_answers(case))
