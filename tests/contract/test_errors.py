"""The page on errors has every code, and shows sentences that the code does say."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from contract.documents import ROOT, read
from service.errors.table import INTERNAL, TABLE

PAGE = "docs/errors.md"
PACKAGES = ("service", "model_store")
OF_THE_ROUTER = {("invalid_request", 404), ("invalid_request", 405)}
"""What no route answers: unknown paths and methods."""

STATUS = re.compile(r"Status ([\d, or]+)\. A retry (?:helps|may help|does not help)\b[^.]*\.")
LEAST_WORDS = 15
"""Fewer than these say no more than the sentence."""

LEAST_LETTERS = 12
"""What is fixed in a sentence of the code, at least: two gaps and a full stop match anything."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What the page says of a code."""

    statuses: tuple[int, ...]
    sentences: tuple[str, ...]
    words: int


def paragraphs() -> dict[str, Paragraph]:
    """Return what the page says, by code."""
    _, *pieces = re.split(r"^### `(\w+)`$", read(PAGE), flags=re.MULTILINE)
    found = {}
    for code, text in zip(pieces[::2], pieces[1::2], strict=True):
        assert code not in found, code
        own, *_ = re.split(r"^## ", text, flags=re.MULTILINE)
        status, *rest = (" ".join(block.split()) for block in own.strip().split("\n\n"))
        written = STATUS.fullmatch(status)
        assert written, f"{code}: {status}"
        sentences = tuple(block.removeprefix("> ") for block in rest if block.startswith("> "))
        words = sum(len(block.split()) for block in rest if not block.startswith("> "))
        statuses = tuple(int(number) for number in re.findall(r"\d+", written[1]))
        found[code] = Paragraph(statuses, sentences, words)
    return found


def test_every_code_has_its_paragraph_with_its_statuses() -> None:
    """Those of the table, and no other; what it means and how to mend it takes some words."""
    answered = defaultdict(set)
    for code, status in {(code, status) for status, code in (*TABLE.values(), INTERNAL)}:
        answered[code].add(status)
    for code, status in OF_THE_ROUTER:
        answered[code].add(status)
    said = paragraphs()
    assert {code: set(each.statuses) for code, each in said.items()} == answered
    assert [code for code, each in said.items() if each.words < LEAST_WORDS] == []


@pytest.mark.parametrize("code", sorted(paragraphs()))
def test_shown_sentences_are_said(code: str) -> None:
    """Each is what a string of the code becomes when its gaps are filled."""
    sentences = paragraphs()[code].sentences
    assert sentences
    said = templates()
    assert [each for each in sentences if not any(t.fullmatch(each) for t in said)] == []


def test_settings_are_not_all_that_sentences_of_the_library_name() -> None:
    """Who meets one from Python is told the argument too; only a server has a store."""
    for path in sorted((ROOT / "model_store").rglob("*.py")):
        for pattern in () if path.name == "store.py" else strings(path):
            if "FILLMASK_" in pattern:
                assert re.search(r"=(True)?\\ (and\\ KERAS_BACKEND\\ )?in\\ Python", pattern), (
                    pattern
                )


@cache
def templates() -> list[re.Pattern[str]]:
    """Return every string of the packages, with anything in its gaps."""
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    patterns = {pattern for path in paths for pattern in strings(path)}
    return [re.compile(pattern) for pattern in patterns if len(pattern) >= LEAST_LETTERS]


def strings(path: Path) -> list[str]:
    """Return the strings of a file as patterns; pieces of an f-string are not by themselves."""
    tree = ast.parse(path.read_text("utf-8"))
    pieces = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for value in node.values
    }
    return ["".join(parts_of(node)) for node in ast.walk(tree) if id(node) not in pieces]


def parts_of(node: ast.AST) -> list[str]:
    """Return a string as parts of a pattern; nothing of what is none."""
    match node:
        case ast.Constant(value=str(text)):
            return [re.escape(text)]
        case ast.JoinedStr(values=values):
            return [(parts_of(value) or [".*"])[0] for value in values]
    return []
