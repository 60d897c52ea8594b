"""A real server for the clients that people have, which have an environment of their own."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from e2e.running_server import RunningServer, find_free_port, start_server

ROOT = Path(__file__).parents[2]
SERVER = ROOT / ".venv-test" / "bin" / "fillmask"

# Their pins are not ours: only `make test-clients` has them.
collect_ignore_glob = [] if find_spec("tritonclient") else ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that asks for a key, from the environment of the other tests."""
    env = {"FILLMASK_API_KEYS": "key", "FILLMASK_OFFLINE": "1"}
    env |= {"FILLMASK_GRPC_PORT": str(find_free_port())}
    with start_server(env, tmp_path_factory.mktemp("server"), SERVER) as running:
        yield running


@pytest.fixture(scope="session")
def narrow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that one connection keeps busy."""
    env = {"FILLMASK_MAX_CONNECTIONS": "1", "FILLMASK_OFFLINE": "1"}
    with start_server(env, tmp_path_factory.mktemp("narrow"), SERVER) as running:
        yield running


@pytest.fixture(scope="session")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server whose calls of gRPC are all taken, and whose connections are not."""
    import grpc  # noqa: PLC0415  # not every client has it

    few = 4
    env = {"FILLMASK_MAX_CONNECTIONS": str(few), "FILLMASK_OFFLINE": "1"}
    env |= {"FILLMASK_GRPC_PORT": str(find_free_port())}
    with (
        start_server(env, tmp_path_factory.mktemp("busy"), SERVER) as running,
        grpc.insecure_channel(running.grpc) as channel,
    ):
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        watched = [watch(b"") for _ in range(few)]
        for each in watched:  # one that nobody holds would be cancelled
            next(each)
        yield running
