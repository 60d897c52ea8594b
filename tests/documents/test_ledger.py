"""Nothing that a document shows is left out: it is run, or there is a reason."""

import pytest
import yaml

from contract.documents import DOCUMENTS, ROOT, read
from documents.answers import read_json
from documents.blocks import Block, read_blocks
from documents.given import GIVEN
from documents.ways import (
    DATA,
    NOT_RUN,
    PAGES,
    PROGRAMS,
    RUN_ELSEWHERE,
    SHELLS,
    SLOW_PAGES,
    runs_here,
    why_not,
)

BLOCKS = [block for page in DOCUMENTS for block in read_blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_is_accounted_for(block: Block) -> None:
    """A program is run here or elsewhere, or each of its lines has a reason; the rest is data."""
    if block.language in DATA:
        return
    assert block.language in PROGRAMS, f"{block}: say in ways.py how a block of this is run"
    elsewhere = (block.page, block.language) in RUN_ELSEWHERE
    has_reasons = block.language in SHELLS and all(map(why_not, block.lines))
    assert runs_here(block) or elsewhere or has_reasons, (
        f"{block}: run it, or say in ways.py why not"
    )


@pytest.mark.parametrize(("page", "language"), RUN_ELSEWHERE, ids=" ".join)
def test_elsewhere_is_somewhere(page: str, language: str) -> None:
    """The page has such blocks, and the test that is said to run them names it."""
    assert any(block.language == language for block in read_blocks(page))
    assert page in (ROOT / RUN_ELSEWHERE[page, language]).read_text("utf-8")


@pytest.mark.parametrize("part", NOT_RUN)
def test_reason_is_needed(part: str) -> None:
    """A document shows such a command."""
    shown = [line for block in BLOCKS if block.language in SHELLS for line in block.lines]
    assert any(part in line for line in shown)


def test_pages_are_there() -> None:
    """What is said of pages is said of those that are walked."""
    assert set(PAGES) >= SLOW_PAGES
    assert set(PAGES) >= set(GIVEN)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=str)
def test_json_parses(block: Block) -> None:
    """Every block of JSON is one value."""
    read_json(block.text)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=str)
def test_yaml_parses(block: Block) -> None:
    """Every block of YAML is one object or several."""
    assert all(isinstance(part, dict) for part in yaml.safe_load_all(block.text))


@pytest.mark.parametrize("page", DOCUMENTS)
def test_fences_are_closed(page: str) -> None:
    """Every fence that is opened is one that `read_blocks` sees."""
    fences = [line for line in read(page).splitlines() if line.lstrip().startswith("```")]
    assert len(fences) == 2 * len(read_blocks(page))
