"""Debian's Chromium, driven by Playwright, which has an environment of its own."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.running_server import RunningServer, start_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
SERVER = ROOT / ".venv-test" / "bin" / "fillmask"

# Only `make test-browser` has it.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Return a browser without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # see above

    path = shutil.which("chromium")
    assert path, "chromium is not installed; make test-browser installs it"
    with sync_playwright() as playwright:
        # As root, as in a container, it has no sandbox of its own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that asks for a key, and answers under a prefix as well."""
    env = {
        "FILLMASK_API_KEYS": "key",
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_ROOT_PATH": "/fillmask",
    }
    with start_server(env, tmp_path_factory.mktemp("server"), SERVER) as running:
        yield running
