"""The pages of the site: the documents of the repository, with links that hold on the site.

A document links to files of the repository. On the site most of them have another place, and some
have none: then the link becomes its text, and the path of the file.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import yaml

from website.reference import render_reference

DECISIONS = "docs/decisions"
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "openapi.yaml": "openapi.yaml",
    DECISIONS: "decisions/index.md",
}
"""What is shown and lies outside of docs/, and what a folder is shown as."""

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_ELSEWHERE = ("https://", "http://", "#", "mailto:")


def stage(root: Path, target: Path) -> None:
    """Write every page of the site into a directory, which is emptied first.

    Args:
        root: the repository.
        target: the directory that Zensical reads.
    """
    shutil.rmtree(target, ignore_errors=True)
    places = find_places(root)
    for source, place in places.items():
        written = target / place
        written.parent.mkdir(parents=True, exist_ok=True)
        if source == DECISIONS:
            written.write_text(render_decisions(root), "utf-8")
        elif source.endswith(".md"):
            text = (root / source).read_text("utf-8")
            written.write_text(follow_links(text, source, places), "utf-8")
        else:
            shutil.copyfile(root / source, written)
    described = yaml.safe_load((root / "openapi.yaml").read_text("utf-8"))
    (target / "reference.md").write_text(render_reference(described), "utf-8")


def find_places(root: Path) -> dict[str, str]:
    """Return where each document, and each picture of one, stands on the site."""
    documents = {
        str(path.relative_to(root)): str(path.relative_to(root / "docs"))
        for path in sorted((root / "docs").rglob("*"))
        if path.is_file()
    }
    return documents | MOVED


def follow_links(text: str, source: str, places: Mapping[str, str]) -> str:
    """Return a document whose relative links lead to pages of the site; code is left alone.

    Args:
        text: the document.
        source: its path in the repository.
        places: where each file of the repository stands on the site, if it does.
    """
    here = PurePosixPath(places[source]).parent

    def follow(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if target.startswith(_ELSEWHERE):
            return link[0]
        path, mark, anchor = target.partition("#")
        file = os.path.normpath(PurePosixPath(source).parent / path)
        if file not in places:
            return words if words in {file, f"`{file}`"} else f"{words} (`{file}`)"
        return f"{picture}[{words}]({os.path.relpath(places[file], here)}{mark}{anchor})"

    return "".join(
        part if is_code else _LINK.sub(follow, part) for part, is_code in split_code(text)
    )


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a document in order, and whether each is a fenced block."""
    end = 0
    for fence in _FENCE.finditer(text):
        yield text[end : fence.start()], False
        yield fence[0], True
        end = fence.end()
    yield text[end:], False


def render_decisions(root: Path) -> str:
    """Return the list of decisions, the newest first."""
    rows = []
    for path in sorted((root / DECISIONS).glob("*.md"), reverse=True):
        number, title = path.read_text("utf-8").splitlines()[0].removeprefix("# ").split(" ", 1)
        rows.append(f"| {number} | [{title}]({path.name}) |\n")
    return (
        "# Decisions\n\nWhat was decided, why, and what it costs; a page each.\n\n"
        f"| | |\n|---|---|\n{''.join(rows)}"
    )
