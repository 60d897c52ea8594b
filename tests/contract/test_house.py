"""The tree that docs/architecture.md draws is the tree that is there, and no floor is crowded."""

import ast
import re
from pathlib import Path

import pytest

from contract.documents import ROOT, code_blocks

PACKAGES = ("service", "model_store", "fillmask")
MOST_ENTRIES = 12
ROOMS = sorted(
    path.parent
    for package in PACKAGES
    for path in (ROOT / package).rglob("__init__.py")
    if path.parent != ROOT / "fillmask"
)


def entries(folder: Path) -> set[str]:
    """Return the names in a folder, those of folders with a slash."""
    return {
        path.name + "/" * path.is_dir()
        for path in folder.iterdir()
        if not path.name.startswith("__pycache__") and path.name != "__init__.py"
    }


def drawn() -> dict[str, set[str]]:
    """Return what the page draws under each package."""
    tree: dict[str, set[str]] = {}
    package = ""
    [block] = [b for b in code_blocks("docs/architecture.md", "") if b.startswith("service/\n")]
    for line in block.splitlines():
        if not line.startswith(" "):
            package = line.rstrip("/")
            tree[package] = set()
        elif found := re.match(r" {2}(\S+) ", line):
            tree[package].add(found[1])
    return tree


def test_page_draws_the_tree_that_is_there() -> None:
    """Every entry at the top of each package, and nothing else."""
    assert drawn() == {package: entries(ROOT / package) for package in PACKAGES}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_floor_can_be_seen_at_a_glance(room: Path) -> None:
    """Twelve entries at the most."""
    assert len(entries(room)) <= MOST_ENTRIES


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_room_says_what_lives_there(room: Path) -> None:
    """Its docstring says what it knows, and what not."""
    prose = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    words = " ".join(prose.split())
    assert "Lives here: " in words
    assert "Knows " in words
    assert re.search("Does not know |Nothing below knows it", words)
