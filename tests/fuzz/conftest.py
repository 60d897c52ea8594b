"""One real server, to be sent everything that no client sends."""

from collections.abc import Iterator

import pytest

from e2e.running_server import RunningServer, start_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with the default settings and the embedded preset."""
    directory = tmp_path_factory.mktemp("fuzzed")
    (directory / "store").mkdir()
    env = {"FILLMASK_MODEL_STORE_DIR": str(directory / "store"), "FILLMASK_OFFLINE": "1"}
    env |= {"FILLMASK_REQUEST_TIMEOUT_S": "60"}  # less than a client waits
    with start_server(env, directory) as running:
        yield running
