"""Every case of the families' matrix: answers equal to Transformers', or a sentence why not."""

from collections.abc import Iterator

import pytest

from matrix.families.cases import list_cases
from matrix.families.judge import judge, read_golden
from matrix.families.table import DOCUMENT, render
from matrix.judge import REFUSED, SILENTLY_DIFFERENT, Verdict, clear
from matrix.table import splice

CASES = {case.name: case for case in list_cases()}
LONGEST_SENTENCE = 400


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Verdict]]:
    """What came of every case; each is read and run once."""
    directory = tmp_path_factory.mktemp("families")
    yield {
        name: judge(case, directory / str(number))
        for number, (name, case) in enumerate(CASES.items())
    }
    clear()


@pytest.mark.parametrize("name", CASES)
def test_no_case_is_silently_different(verdicts: dict[str, Verdict], name: str) -> None:
    """Ids, spans, the best tokens and their scores are Transformers', or nothing is answered."""
    verdict = verdicts[name]
    assert verdict.outcome != SILENTLY_DIFFERENT, verdict.why


def test_every_refusal_is_one_sentence(verdicts: dict[str, Verdict]) -> None:
    """That says what to do, and nothing of this machine."""
    sentences = [verdict.why for verdict in verdicts.values() if verdict.outcome == REFUSED]
    assert sentences
    wrong = [
        why
        for why in sentences
        if not why.endswith(".")
        or ";" not in why
        or "\n" in why
        or "/families" in why
        or len(why) > LONGEST_SENTENCE
    ]
    assert wrong == []


def test_the_golden_file_is_of_these_cases() -> None:
    """After a row was added, `make golden` asks Transformers."""
    assert read_golden()["cases"].keys() == CASES.keys()


def test_the_documented_table_is_that_of_these_cases(verdicts: dict[str, Verdict]) -> None:
    """`tests/matrix/write_table.py` writes it anew."""
    document = DOCUMENT.read_text("utf-8")
    assert splice(document, render(verdicts)) == document
