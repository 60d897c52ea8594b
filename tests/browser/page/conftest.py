"""Real servers for the playground, and pages of it that are watched."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.page.presets import SERVER, write_presets
from e2e.running_server import RunningServer, start_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from browser.page.visits import Visits

# Only `make test-browser` has what these need.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two presets: one loads at once, and one must be converted for seconds."""
    return write_presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture(scope="session")
def open_server(presets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server without keys, with both presets beside its own."""
    env = {"FILLMASK_MODEL_STORE_DIR": str(presets), "FILLMASK_OFFLINE": "1"}
    with start_server(env, tmp_path_factory.mktemp("open"), SERVER) as running:
        yield running


@pytest.fixture
def visits(browser: "Browser", open_server: RunningServer) -> "Iterator[Visits]":
    """Return what opens pages; in the end, none may have complained of anything."""
    from browser.page.visits import Visits  # noqa: PLC0415  # needs Playwright

    visits = Visits(browser, open_server.url)
    yield visits
    visits.end()
