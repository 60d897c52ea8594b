"""Every page is read from top to bottom, and what it shows is so."""

from pathlib import Path

import pytest

from documents.blocks import Block
from documents.given import GIVEN
from documents.walk import Walk
from documents.ways import PAGES, SLOW_PAGES
from e2e.running_server import RunningServer
from fake_hub import FakeHub
from keys import ADMIN_KEY


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.documents if page in SLOW_PAGES else ())
        for page in PAGES
    ],
)
def test_page_is_as_it_says(
    server: RunningServer, tmp_path_factory: pytest.TempPathFactory, page: str
) -> None:
    """Each command ends well, each answer is that which is shown; no hub is that of the world."""
    directory = tmp_path_factory.mktemp("reader")
    with FakeHub() as hub, Walk(server.url, directory, make_environment(directory, hub)) as walk:
        for give in GIVEN.get(page, ()):
            give(directory, hub)
        walk.read(page)


def make_environment(directory: Path, hub: FakeHub) -> dict[str, str]:
    """Return what a reader's shell has: a home that is empty but for what was converted before."""
    home = directory / "home"
    (home / ".cache" / "fillmask").mkdir(parents=True)
    converted = directory.parent / "converted"
    converted.mkdir(exist_ok=True)
    (home / ".cache" / "fillmask" / "converted").symlink_to(converted)
    return {**hub.environment(home), "ADMIN_KEY": ADMIN_KEY, "PYTHONUTF8": "1"}


@pytest.mark.parametrize(
    ("code", "said", "complaint"),
    [
        (
            ("sh", "curl -s http://127.0.0.1:8000/healthz"),
            ("json", '{"status": "fine"}'),
            "test:4 shows something else",
        ),
        (("sh", "curl -s http://127.0.0.1:8000/nothing"), ("json", '{"status": "ok"}'), "404"),
        (("sh", "curl -s http://127.0.0.1:8000/nothing"), None, "404"),
        (("sh", "curl -s http://127.0.0.1:8000/healthz"), ("json", '{"error": "?"}'), "200"),
        (("sh", "false"), None, "test:1"),
        (("python", "print(1.5)"), ("text", "1.9"), "test:4 shows other numbers"),
        (("python", "1 / 0"), None, "ZeroDivisionError"),
    ],
)
def test_page_that_is_wrong_is_found(
    server: RunningServer,
    tmp_path: Path,
    code: tuple[str, str],
    said: tuple[str, str] | None,
    complaint: str,
) -> None:
    """Another answer, another status, a command that fails."""
    below = Block("test", 4, said[0], f"{said[1]}\n") if said else None
    block = Block("test", 1, code[0], f"{code[1]}\n", below)
    with Walk(server.url, tmp_path, {}) as walk, pytest.raises(AssertionError, match=complaint):
        walk.read_blocks([block])
