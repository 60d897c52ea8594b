"""What was said, held against what a document shows: by the words, and by numbers that are near."""

import json
import re
from typing import Any

import pytest

from documents.blocks import Block

_SCORES = re.compile(
    "|".join(
        rf'(?<="{name}": )-?\d[^,}}]*'
        for name in (
            *("score", "log_prob", "mean_log_prob", "marginal", "conditional"),
            *("entropy", "removed_probability", "total", "mean", "pseudo_perplexity"),
            "value",
        )
    )
)
_RANKS = re.compile(r'(?<="rank": )\d+')
"""Far down the vocabulary a hundredth of a nat is dozens of ranks."""

_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_PRECISION = re.compile("bfloat16|float32|float16")


def is_refusal(shown: Block | None) -> bool:
    """Say whether a document shows an error of the service."""
    return shown is not None and shown.language == "json" and '"error":' in shown.text


def compare(said: str, shown: Block) -> None:
    """Hold what was said against a block; the last digits of a score differ between processors.

    Raises:
        AssertionError: it is something else; the message has all of it.
    """
    if shown.language == "json":
        answer, expected = json.loads(said), read_json(shown.text)
        has_words = _drop_scores(answer) == _drop_scores(expected)
        is_near = _read_scores(answer) == pytest.approx(_read_scores(expected), rel=0.01, abs=0.02)
    else:
        has_words = _blank(said) == _blank(shown.text)
        numbers = _read_numbers(shown.text)
        is_near = _read_numbers(said) == pytest.approx(numbers, rel=0.05, abs=0.02)
    assert has_words, f"{shown} shows something else than was said:\n{said}"
    assert is_near, f"{shown} shows other numbers than were said:\n{said}"


def read_json(text: str) -> Any:
    """Return what a block of JSON holds.

    Long lines are broken for reading: a break within a text stands for a space.
    """
    return json.loads(re.sub(r"(?<=\w)\n(?=\w)", " ", text))


def _drop_scores(answer: Any) -> Any:
    return json.loads(_RANKS.sub("0", _SCORES.sub("0", json.dumps(answer))))


def _read_scores(answer: Any) -> list[float]:
    return [*map(float, _SCORES.findall(json.dumps(answer)))]


def _blank(text: str) -> str:
    return _PRECISION.sub("_", _NUMBER.sub("_", text))


def _read_numbers(text: str) -> list[float]:
    return [*map(float, _NUMBER.findall(text))]
