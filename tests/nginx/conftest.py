"""One server, and two kinds of nginx in front of it."""

from collections.abc import Iterator

import pytest

from e2e.running_server import RunningServer
from nginx.front import Front, start_nginx, start_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server with two workers, so that both must know its proxies."""
    directory = tmp_path_factory.mktemp("service")
    with start_service(directory, FILLMASK_WORKERS="2", FILLMASK_OFFLINE="1") as server:
        yield server


@pytest.fixture(
    scope="session",
    params=[None, {"proxy_pass http://fillmask;": "proxy_pass http://fillmask/;"}],
    ids=["handed on", "taken off"],
)
def front(
    request: pytest.FixtureRequest,
    service: RunningServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """Return the nginx of the page, which hands the prefix on, and one that takes it off."""
    directory = tmp_path_factory.mktemp("nginx")
    with start_nginx(service, directory, request.param) as front:
        yield front
