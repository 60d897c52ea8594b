"""A plugin: the tests that need nothing but a server's address get one of a Ray cluster.

They are the very tests that one process passes: those of tests/service that ask for a `client` and
nothing else, and those of tests/e2e whose server lives by its settings alone. What is left out, and
why, is in `left_out`.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from ray import serve

import e2e.running_server
from deploy.ray.app import compose
from keys import ADMIN_KEY
from on_ray.cluster_transport import TOLD_S, ClusterTransport
from on_ray.left_out import reason_to_leave_out
from on_ray.ray_cluster import NODES, start_cluster, start_proxies
from on_ray.stores import create_fake_store
from service.models.preset_store import create_store
from service.processes.ray.application import CreateStore, Options
from service.settings import Settings

_HEADERS = {
    "authorization": f"Bearer {ADMIN_KEY}",
    # As the tests know the server.
    "host": "fillmask",
    # A connection would outlive its test, and the event loop that it belongs to.
    "connection": "close",
}
_FOLDER = "tests/service"
"""Whose `client` gets the cluster."""

_PATIENCE_S = 60.0
_DEFAULTS = {
    "FILLMASK_ADMIN_KEYS": ADMIN_KEY,
    "FILLMASK_PRECISION": "float32",
}
_END = ExitStack()
_NUMBERS = count()


@cache
def _start_proxies() -> str:
    _END.enter_context(start_cluster())
    return start_proxies()


@contextmanager
def _serve(
    settings: Settings, create_store: CreateStore, replicas: int, path: str
) -> Iterator[str]:
    """Run an application below a path, one replica of each kind a node."""
    url = _start_proxies()
    each = {"num_replicas": replicas, "max_replicas_per_node": 1}
    name = f"fillmask-{next(_NUMBERS)}"
    app = compose(settings, create_store, Options(engine=each, ingress=each))
    serve.run(app, name=name, route_prefix=path or "/")
    try:
        yield url + path
    finally:
        serve.delete(name)


@cache
def _fake_url() -> str:
    """Return where a service of the fixture's store is, for the whole session."""
    settings = Settings(default_preset="tiny", preload=False, admin_keys=(ADMIN_KEY,))
    return _END.enter_context(_serve(settings, create_fake_store, NODES, ""))


@contextmanager
def start_server(
    env: Mapping[str, str], tmp_path: Path, **_: Any
) -> Iterator[e2e.running_server.RunningServer]:
    """Do what `e2e.running_server.start_server` does, on two nodes of the cluster."""
    variables = _DEFAULTS | {"FILLMASK_CACHE_DIR": str(tmp_path.parent / "converted")} | dict(env)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        settings = Settings()
    with _serve(settings, create_store, 2, f"/{tmp_path.name}") as url:
        httpx.get(f"{url}/readyz", timeout=_PATIENCE_S, trust_env=False).raise_for_status()
        yield e2e.running_server.RunningServer(url, cast("Any", None), tmp_path, "")


# Before the tests import it.
e2e.running_server.start_server = start_server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what can be tested over HTTP alone, and start the cluster for it."""
    kept = [item for item in items if _can_run(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
    if not config.option.collectonly and any(_arguments(item) == {"client"} for item in kept):
        _fake_url()  # now, before the clock of a test runs


def pytest_sessionfinish() -> None:
    """End the cluster."""
    _END.close()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> httpx.AsyncClient | None:
    """Give `client` another meaning."""
    if fixturedef.argname != "client" or fixturedef.baseid != _FOLDER:
        return None
    url = _fake_url()
    counted = _begin_anew(url, is_counting="/metrics" in request.path.read_text("utf-8"))
    client = httpx.AsyncClient(
        base_url=url,
        headers=_HEADERS,
        timeout=_PATIENCE_S,
        transport=ClusterTransport(url, counted),
    )
    fixturedef.cached_result = (client, fixturedef.cache_key(request), None)
    return client


def _can_run(item: pytest.Item) -> bool:
    if item.get_closest_marker("ray"):
        return True
    if reason_to_leave_out(item.nodeid):
        return False
    arguments = _arguments(item)
    return (arguments == {"client"} and _is_ours(item)) or (
        "server" in arguments and "e2e" in item.path.parts
    )


def _is_ours(item: pytest.Item) -> bool:
    """Say whether a test's `client` and `store` are those of its folder, and not its own."""
    fixtures = cast("pytest.Function", item)._fixtureinfo.name2fixturedefs
    return all(fixtures[name][-1].baseid == _FOLDER for name in ("client", "store"))


def _arguments(item: pytest.Item) -> set[str]:
    """Return the fixtures that a test asks for itself."""
    if not isinstance(item, pytest.Function):
        return set()
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params if callspec else {}
    return {name for name in item._fixtureinfo.argnames if name not in parameters} | (
        {"server"} & set(item.fixturenames)
    )


def _begin_anew(url: str, *, is_counting: bool) -> str:
    """Unload all, for every test begins with nothing loaded, and return what was counted so far."""
    with httpx.Client(
        base_url=url, headers=_HEADERS, timeout=_PATIENCE_S, trust_env=False
    ) as client:
        for preset in client.get("/presets").json()["presets"]:
            if preset["state"] != "available":
                client.post(f"/presets/{preset['name']}/unload").raise_for_status()
        time.sleep(TOLD_S if is_counting else 0)
        return client.get("/metrics").text
