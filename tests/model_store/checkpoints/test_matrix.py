"""Every case of the matrix: answers equal to Transformers', or a sentence that says why not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from matrix.cases import list_cases
from matrix.judge import (
    EQUAL,
    REFUSED,
    SILENTLY_DIFFERENT,
    Verdict,
    clear,
    compare,
    judge,
    read_golden,
)
from matrix.row import Case
from matrix.table import DOCUMENT, render, splice
from matrix.usual import write_case
from model_store.checkpoints import read_checkpoint, read_tokenizer, write_tokenizer
from model_store.engines.fill_mask import FillMaskModel, ModelFacts

CASES = {case.name: case for case in list_cases()}
LONGEST_SENTENCE = 400

each_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Verdict]]:
    """What came of every case; each is read and run once."""
    directory = tmp_path_factory.mktemp("matrix")
    yield {
        name: judge(case, directory / str(number))
        for number, (name, case) in enumerate(CASES.items())
    }
    clear()


@each_case
def test_no_case_is_silently_different(verdicts: dict[str, Verdict], name: str) -> None:
    """Ids, spans, the best tokens and their scores are Transformers', or nothing is answered."""
    verdict = verdicts[name]
    assert verdict.outcome != SILENTLY_DIFFERENT, verdict.why


@each_case
def test_a_refusal_is_one_sentence(verdicts: dict[str, Verdict], name: str) -> None:
    """That says what to do, and nothing of this machine."""
    verdict = verdicts[name]
    assert bool(verdict.why) is (verdict.outcome == REFUSED)
    if verdict.why:
        assert verdict.why.endswith(".")
        assert ";" in verdict.why
        assert "\n" not in verdict.why
        assert len(verdict.why) <= LONGEST_SENTENCE
        assert "/matrix" not in verdict.why


def test_the_golden_file_is_of_these_cases() -> None:
    """After a row was added, `make golden` asks Transformers."""
    assert read_golden()["cases"].keys() == CASES.keys()


def test_the_documented_table_is_that_of_these_cases(verdicts: dict[str, Verdict]) -> None:
    """`tests/matrix/write_table.py` writes it anew."""
    document = DOCUMENT.read_text("utf-8")
    assert splice(document, render(verdicts)) == document


@each_case
def test_a_tokenizer_is_the_same_after_a_conversion(
    verdicts: dict[str, Verdict], tmp_path: Path, name: str
) -> None:
    """What is written beside a converted model reads texts as the checkpoint's own files do."""
    if verdicts[name].outcome != EQUAL:
        return
    checkpoint = read_checkpoint(write_case(CASES[name], tmp_path / "checkpoint"))
    (tmp_path / "converted").mkdir()
    write_tokenizer(checkpoint, tmp_path / "converted")
    tokenizer = read_tokenizer(tmp_path / "converted")
    assert tokenizer.to_json() == checkpoint.tokenizer.to_json()
    assert tokenizer.special_tokens == checkpoint.tokenizer.special_tokens


def _list_different() -> list[Case]:
    """Return one case for each of Transformers' answers."""
    golden = read_golden()["cases"]
    first = {golden[name].get("answers"): case for name, case in reversed(CASES.items())}
    return [case for answers, case in first.items() if answers]


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:You are using a softmax:UserWarning"
)  # of one token, in tracing
@pytest.mark.parametrize("case", _list_different(), ids=lambda case: case.name)
def test_a_conversion_for_openvino_answers_alike(case: Case, tmp_path: Path) -> None:
    """One case for each of Transformers' answers, through the graph that is served by default."""
    from model_store.engines import openvino  # noqa: PLC0415  # both import what takes seconds
    from model_store.engines.openvino_conversion import convert  # noqa: PLC0415

    directory = write_case(case, tmp_path / "checkpoint")
    if judge(case, tmp_path / "again").outcome == REFUSED:
        return
    (tmp_path / "converted").mkdir()
    convert(directory, tmp_path / "converted")
    facts = json.loads((tmp_path / "converted" / "facts.json").read_text("utf-8"))
    model = FillMaskModel(
        openvino.OpenVINOEngine(tmp_path / "converted" / "model.xml", "float32"),
        read_tokenizer(tmp_path / "converted"),
        ModelFacts(**facts, nbytes=0, precision="float32"),
    )
    verdict = compare(case, model)
    assert verdict.outcome == EQUAL, verdict.why
