"""Parity with Transformers' fill-mask pipeline, by the answers kept in tests/golden."""

from typing import Any

import pytest

from golden.golden_files import TARGETS, read_golden
from model_store.text.filled_text import FilledText

FILES = {"uncased": "embedded_model", "cased": "tiny_model"}


@pytest.fixture(params=sorted(FILES))
def golden(request: pytest.FixtureRequest) -> tuple[Any, list[dict[str, Any]]]:
    """A model and the lines that the pipeline answered for it."""
    return request.getfixturevalue(FILES[request.param]), read_golden(request.param)


def test_golden_files_cover_what_they_promise() -> None:
    """Each file has over two hundred texts, with one to four masks."""
    for name in FILES:
        lines = read_golden(name)
        assert len(lines) >= 200
        assert {len(line["masks"]) for line in lines} == {1, 2, 3, 4}


def test_top_five_equal_those_of_transformers(golden: Any, fill: Any) -> None:
    """The same ids in the same order, and scores within 1e-4."""
    model, lines = golden
    filled = fill(model, [line["inputs"] for line in lines])
    for line, ours in zip(lines, filled, strict=True):
        assert ids(ours) == [[p[1] for p in mask] for mask in line["masks"]], line["inputs"]
        assert scores(ours) == pytest.approx(flat_scores(line["masks"]), abs=1e-4)


def test_targets_equal_those_of_transformers(golden: Any, fill: Any) -> None:
    """Restricted to targets: the same ids in the same order, scores not renormalised."""
    model, lines = golden
    filled = fill(model, [line["inputs"] for line in lines], targets=TARGETS)
    for line, ours in zip(lines, filled, strict=True):
        assert ids(ours) == [[p[1] for p in mask] for mask in line["targets"]], line["inputs"]
        assert scores(ours) == pytest.approx(flat_scores(line["targets"]), abs=1e-4)


def test_sequences_are_decoded_as_transformers_decodes_them(golden: Any, fill: Any) -> None:
    """`token_str` and `sequence` are the pipeline's to the letter."""
    model, lines = golden
    filled = fill(model, [line["inputs"] for line in lines])
    for line, ours in zip(lines, filled, strict=True):
        decoded = [
            [[ours.decoded_token(p), ours.decoded_sequence(mask, p)] for p in predictions]
            for mask, predictions in enumerate(ours.predictions)
        ]
        assert decoded == [[p[2:] for p in mask] for mask in line["masks"]]


def ids(filled: FilledText) -> list[list[int]]:
    """Return the predicted ids, one list a mask."""
    return [[p.token for p in predictions] for predictions in filled.predictions]


def scores(filled: FilledText) -> list[float]:
    """Return the scores of all masks in one list."""
    return [p.score for predictions in filled.predictions for p in predictions]


def flat_scores(masks: list[Any]) -> list[float]:
    """Return the pipeline's scores of all masks in one list."""
    return [p[0] for mask in masks for p in mask]
