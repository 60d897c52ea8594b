"""Parity with minicons, by the figures kept in tests/golden."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from contract.documents import ROOT
from model_store.engines.fill_mask import FillMaskModel
from model_store.tasks.limits import TaskLimits
from model_store.tasks.score import Method, ScoredText, ScoreRequest
from model_store.tasks.task import Done, advance

LINES = [
    json.loads(line)
    for line in (ROOT / "tests" / "golden" / "score.jsonl").read_text("utf-8").splitlines()
]
METHODS: tuple[Method, ...] = ("pll", "pll_word_l2r")
ROWS = 64


def score(model: FillMaskModel, texts: Sequence[str], method: Method) -> list[ScoredText]:
    """Score texts in batches of like length."""
    task = ScoreRequest(texts, method=method).start(model, TaskLimits(max_rows=10_000))
    rows = advance(task)
    assert not isinstance(rows, Done)
    order = sorted(range(len(rows)), key=lambda row: len(rows[row].token_ids))
    results: dict[int, Any] = {}
    for start in range(0, len(order), ROWS):
        batch = order[start : start + ROWS]
        scores = model.predict([rows[row] for row in batch])
        results.update(zip(batch, scores, strict=True))
    done = advance(task, [results[row] for row in range(len(rows))])
    assert isinstance(done, Done)
    return done.answer


def require_parity(model: FillMaskModel, lines: Sequence[dict[str, Any]], method: Method) -> None:
    """Every token of every text is minicons', and worth what it is worth there."""
    scored = score(model, [line["text"] for line in lines], method)
    for line, text in zip(lines, scored, strict=True):
        assert [token.token_str for token in text.tokens] == line["tokens"]
        ours = [token.log_prob for token in text.tokens]
        np.testing.assert_allclose(ours, line[method], rtol=0, atol=1e-3, err_msg=text.text)
        assert text.total == pytest.approx(sum(line[method]), abs=1e-3)


def test_golden_file_covers_what_it_promises() -> None:
    """Two hundred texts, and many in which the methods differ."""
    assert len({line["text"] for line in LINES}) == 200
    assert sum(line["pll"] != line["pll_word_l2r"] for line in LINES) >= 50
    assert sum(line["pll"] != line["pll_word_l2r"] for line in LINES[::4]) >= 15


@pytest.mark.parametrize("method", METHODS)
def test_every_fourth_text_equals_minicons(embedded_model: FillMaskModel, method: Method) -> None:
    """Token by token and in total, within 1e-3."""
    require_parity(embedded_model, LINES[::4], method)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_text_equals_minicons(embedded_model: FillMaskModel, method: Method) -> None:
    """The same for all two hundred."""
    require_parity(embedded_model, LINES, method)
