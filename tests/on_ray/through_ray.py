"""A plugin: the tests that need nothing of a server but what HTTP shows get one of a Ray cluster.

They are the very tests that one process passes: those of tests/service that ask for a server of
some settings and some store, and those of tests/e2e whose server lives by its settings alone. What
is left out, and why, is in `left_out`.
"""

import inspect
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from ray import cloudpickle

import e2e.running_server
import fakes
from keys import ADMIN_KEY
from on_ray.cluster_transport import TOLD_S, ClusterTransport
from on_ray.file_gate import FileGate
from on_ray.left_out import reason_to_leave_out
from on_ray.place import Place
from on_ray.ray_cluster import NODES
from on_ray.shipped_store import Shipment, create_shipped_store
from service.models.preset_store import create_store
from service.settings import Settings

_FOLDER = "tests/service"
"""Whose `serve` gets the cluster."""

_OURS = {"client", "serve", "store", "tmp_path"}
"""What a test may ask for."""

_USUAL = {"default_preset": "tiny", "preload": False, "admin_keys": (ADMIN_KEY,)}
_PATIENCE_S = 60.0
_DEFAULTS = {
    "FILLMASK_ADMIN_KEYS": ADMIN_KEY,
    "FILLMASK_PRECISION": "float32",
}
_PLACE = Place()
_SHIPPED = Path(tempfile.mkdtemp(prefix="fillmask-store-"))


@asynccontextmanager
async def _serve(
    store: Any, *, replicas: int, is_counting: bool, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Do what `serve` of tests/service does, with so many replicas of each kind."""
    chosen = Settings(**_USUAL | settings)
    shipment = Shipment(_SHIPPED, store)
    was_used = shipment.begin()
    url = _PLACE.serve_at_root(
        chosen,
        partial(create_shipped_store, _SHIPPED),
        replicas,
        clean=lambda url: not was_used or _unload_all(chosen, url),
    )
    before = _read_metrics(chosen, url) if is_counting else ""
    transport = ClusterTransport(url, shipment, before)
    try:
        async with httpx.AsyncClient(
            base_url="http://fillmask",
            headers={"authorization": f"Bearer {ADMIN_KEY}"},
            timeout=_PATIENCE_S,
            transport=transport,
        ) as client:
            yield client
    finally:
        shipment.fetch_loads()


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
    with _PLACE.serve(settings, create_store, 2, f"/{tmp_path.name}") as url:
        httpx.get(f"{url}/readyz", timeout=_PATIENCE_S, trust_env=False).raise_for_status()
        yield e2e.running_server.RunningServer(url, cast("Any", None), tmp_path, "")


# Before the tests import them.
e2e.running_server.start_server = start_server
FileGate.place = _SHIPPED
fakes.Gate = FileGate  # type: ignore[assignment,misc]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what can be tested over HTTP alone; what wants the same server runs in one go."""
    kept = [item for item in items if isinstance(item, pytest.Function) and _can_run(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = sorted(kept, key=_name_server)
    for item in kept:  # nodes know nothing of what a test's file defines
        cloudpickle.register_pickle_by_value(item.module)


def pytest_sessionfinish() -> None:
    """End the cluster, and leave nothing."""
    _PLACE.close()
    shutil.rmtree(_SHIPPED)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
    """Give `serve` another meaning."""
    if fixturedef.argname != "serve" or fixturedef.baseid != _FOLDER:
        return None
    serve = partial(
        _serve,
        replicas=NODES if _is_usual(request.node) else 1,
        is_counting="/metrics" in request.path.read_text("utf-8"),
    )
    fixturedef.cached_result = (serve, fixturedef.cache_key(request), None)
    return serve


def _can_run(item: pytest.Function) -> bool:
    if reason_to_leave_out(item.nodeid, item.function):
        return False
    if "e2e" in item.path.parts:
        return "server" in item.fixturenames
    return _is_ours(item) and _arguments(item) <= _OURS


def _is_ours(item: pytest.Function) -> bool:
    """Say whether the server of a test is that of the folder, or made of it."""
    fixtures = item._fixtureinfo.name2fixturedefs.get("serve", ())
    return any(fixture.baseid == _FOLDER for fixture in fixtures)


def _is_usual(item: pytest.Function) -> bool:
    """Say whether a test keeps the usual settings and presets.

    An ingress knows a preset's tokenizer until the preset is unloaded by it: of several, the others
    would cut texts as for the test before.
    """
    stores = item._fixtureinfo.name2fixturedefs.get("store", ())
    is_own = any(fixture.baseid != _FOLDER for fixture in stores)
    return _arguments(item) == {"client"} and not is_own


def _arguments(item: pytest.Function) -> set[str]:
    """Return the fixtures that a test asks for itself."""
    callspec = getattr(item, "callspec", None)
    return set(item._fixtureinfo.argnames) - set(callspec.params if callspec else ())


def _name_server(item: pytest.Function) -> tuple[bool, str, str, str]:
    """Return what orders tests by their servers: replicas, and how settings are written where."""
    written = re.search(r"serve\(\w+, (.*)\)", inspect.getsource(item.function))
    settings = written[1] if written else ""
    return not _is_usual(item), settings, str(item.path), item.name


def _unload_all(settings: Settings, url: str) -> bool:
    """Have nothing loaded, as every test begins; say whether that is what a new server were."""
    if settings.preload or settings.pinned_presets:
        return False
    with _open(settings, url) as client:
        listed = client.get("/presets")
        unloaded = [
            client.post(f"/presets/{preset['name']}/unload")
            for preset in (listed.json()["presets"] if listed.is_success else ())
            if preset["state"] != "available"
        ]
    return all(answer.is_success for answer in (listed, *unloaded))


def _read_metrics(settings: Settings, url: str) -> str:
    with _open(settings, url) as client:
        time.sleep(TOLD_S)
        # A server with hardly any time for a request tells nothing, and counts nothing either.
        return client.get("/metrics").text


def _open(settings: Settings, url: str) -> httpx.Client:
    headers = {"host": "fillmask"}
    if settings.admin_keys:
        headers["authorization"] = f"Bearer {settings.admin_keys[0].get_secret_value()}"
    return httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE_S, trust_env=False)
