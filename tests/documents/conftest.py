"""One real server for every page that starts none itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.running_server import RunningServer, start_server


@pytest.fixture(scope="session")
def server(
    tiny_preset_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with the default settings, and the small cased checkpoint as `tiny_cased`."""
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(tiny_preset_dir.parent),
        "FILLMASK_OFFLINE": "1",
    }
    with start_server(env, tmp_path_factory.mktemp("server")) as running:
        yield running
