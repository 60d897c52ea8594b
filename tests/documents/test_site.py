"""The site has every page, its links hold, and it asks nothing of anybody else."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import DOCUMENTS, ROOT, read
from website.pages import DECISIONS, MOVED, find_places, follow_links, stage

SITE = ROOT / "build" / "site"
_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself."""

_PATIENCE_S = 600


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as Zensical reads them."""
    directory = tmp_path_factory.mktemp("pages")
    stage(ROOT, directory)
    return directory


def test_every_page_is_in_the_navigation_once(pages: Path) -> None:
    """And nothing else is: a new page needs a line in mkdocs.yml. Decisions have a list."""
    listed = [*list_pages(yaml.safe_load(read("mkdocs.yml"))["nav"])]
    there = {str(path.relative_to(pages)) for path in pages.rglob("*.md")}
    assert sorted(listed) == sorted(page for page in there if not page.startswith("decisions/0"))


def test_every_decision_is_listed(pages: Path) -> None:
    """With its title, the newest first."""
    listed = re.findall(
        r"^\| (\d+) \| \[.+\]\((.+)\) \|$", read_page(pages, "decisions/index.md"), re.MULTILINE
    )
    assert [file for _, file in listed] == sorted(
        (path.name for path in (ROOT / DECISIONS).glob("*.md")), reverse=True
    )
    assert all(file.startswith(number) for number, file in listed)


def test_links_lead_to_pages(pages: Path) -> None:
    """On the site too, and nothing of the repository is linked that the site lacks."""
    links = 0
    for path in pages.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
            file = target.partition("#")[0]
            if not target.startswith("http") and file:
                assert (path.parent / file).is_file(), f"{path}: {target}"
                links += 1
    assert links > len(DOCUMENTS)


@pytest.mark.parametrize(
    ("written", "followed"),
    [
        ("[API](docs/api.md#errors)", "[API](api.md#errors)"),
        ("[changes](CHANGELOG.md)", "[changes](changelog.md)"),
        ("[decisions](docs/decisions)", "[decisions](decisions/index.md)"),
        ("[the licence](LICENSE)", "the licence (`LICENSE`)"),
        ("[LICENSE](LICENSE)", "LICENSE"),
        ("![it](docs/images/architecture.svg)", "![it](images/architecture.svg)"),
        ("[out](https://example.org)", "[out](https://example.org)"),
        ("```\n[a](LICENSE)\n```", "```\n[a](LICENSE)\n```"),
    ],
)
def test_link_is_followed(written: str, followed: str) -> None:
    """To where its file stands on the site; code stays as it is."""
    assert follow_links(written, "README.md", find_places(ROOT)) == followed


def test_link_from_a_folder_is_followed() -> None:
    """Relative to the page that it is on."""
    source = f"{DECISIONS}/0001-own-bert-on-keras-layers.md"
    places = find_places(ROOT)
    assert follow_links("[e](../engines.md)", source, places) == "[e](../engines.md)"
    assert follow_links("[r](../../README.md)", source, places) == "[r](../index.md)"


def test_nothing_is_shown_twice() -> None:
    """Every file has a place of its own."""
    places = find_places(ROOT)
    assert len(set(places.values())) == len(places)
    assert places.items() >= MOVED.items()


@pytest.mark.documents
def test_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere() -> None:
    """`make docs`, then every page, style sheet and picture of it."""
    built = subprocess.run(
        ["make", "docs"],  # noqa: S607  # whichever there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    said = built.stdout + built.stderr
    assert built.returncode == 0, said
    assert not re.search("warning|error", said, re.IGNORECASE), said
    pages = list(SITE.rglob("*.html"))
    assert len(pages) > len(DOCUMENTS)
    for page in pages:
        reader = Loads()
        reader.feed(page.read_text("utf-8"))
        assert reader.loads, page
        assert not [url for url in reader.loads if re.match(r"(https?:)?//", url)], page
        assert "mermaid" not in reader.classes  # its script would come from elsewhere
    for sheet in SITE.rglob("*.css"):
        text = sheet.read_text("utf-8")
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", text), sheet


class Loads(HTMLParser):
    """What a page makes a browser load.

    Attributes:
        loads: addresses, in order.
        classes: of all elements.
    """

    def __init__(self) -> None:
        """Before anything is read."""
        super().__init__()
        self.loads: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element loads."""
        given = dict(attrs)
        self.classes.update((given.get("class") or "").split())
        loaded = given.get(_LOADING.get(tag, ""))
        if loaded and given.get("rel") not in {"canonical", "next", "prev"}:
            self.loads.append(loaded)


def list_pages(nav: Any) -> Any:
    """Yield the pages of a navigation, or of a part of one."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            (inside,) = entry.values()
            yield from [inside] if isinstance(inside, str) else list_pages(inside)


def read_page(pages: Path, name: str) -> str:
    """Return a page of the site."""
    return (pages / name).read_text("utf-8")
