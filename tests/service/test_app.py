"""The server as a whole: how its parts come together, start and end."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore, Gate
from model_store.errors import ModelLoadError
from service.app import create_app
from service.settings import Settings

TEXT = "the [MASK]"


def test_runtime_is_not_imported_with_the_app() -> None:
    """A server answers its probes while the runtime, which takes seconds, is imported."""
    code = (
        "import sys, service.app;"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.strip() == "[]"


async def test_two_hundred_first_requests_load_the_preset_once(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A preset is loaded for everybody who waits for it."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        callers = [
            asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
            for _ in range(200)
        ]
        await gate.reached()
    responses = await asyncio.gather(*callers)
    assert {response.status_code for response in responses} == {200}
    assert store.loads == ["tiny"]


async def test_requests_that_arrive_while_the_engine_is_busy_run_together(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Batches form across requests."""
    with Gate() as gate:
        engine = store.engines["tiny"] = FakeEngine(gate)
        callers = [asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))]
        await gate.reached()
        app = client._transport.app
        served = app.state.pipeline._models.ready()["tiny"]
        callers += [
            asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT})) for _ in range(3)
        ]
        while served.queue_size < 3:  # noqa: ASYNC110  # no event, and no time: turns of the loop
            await asyncio.sleep(0)
    await asyncio.gather(*callers)
    assert engine.batch_sizes == [1, 3]


async def test_failed_load_is_retried_by_the_next_request(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Nobody must restart a server whose files were mended."""
    store.errors["tiny"] = ModelLoadError("broken")
    first = await client.post("/fill-mask", json={"inputs": TEXT})
    del store.errors["tiny"]
    second = await client.post("/fill-mask", json={"inputs": TEXT})
    assert (first.status_code, second.status_code) == (500, 200)


async def test_least_recently_used_preset_makes_room(store: FakeStore, serve: Any) -> None:
    """As many presets stay as the settings say."""
    async with serve(store, max_loaded_presets=2) as client:
        for preset in ("tiny", "other", "tiny", "third"):
            await client.post("/fill-mask", json={"inputs": TEXT, "preset": preset})
        presets = (await client.get("/presets")).json()["presets"]
    ready = [preset["name"] for preset in presets if preset["state"] == "ready"]
    assert ready == ["tiny", "third"]


async def test_default_preset_is_loaded_at_start(store: FakeStore, serve: Any) -> None:
    """The first request finds a warm model."""
    with Gate() as gate:
        engine = store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, preload=True):
            await gate.reached()
            gate.open()
    assert engine.batch_sizes == [1]


async def test_pinned_presets_are_loaded_at_start(store: FakeStore, serve: Any) -> None:
    """After the default one, and one that cannot be loaded is in nobody's way."""
    store.errors["other"] = ModelLoadError("broken")
    pinned = ("other", "third")
    with Gate() as gate:
        store.gates["third"] = gate
        async with serve(store, preload=True, pinned_presets=pinned) as client:
            await gate.reached()
            gate.open()
            answer = await client.post("/fill-mask", json={"inputs": TEXT, "preset": "third"})
            presets = (await client.get("/presets")).json()["presets"]
    assert answer.status_code == 200
    assert store.loads == ["tiny", "other", "third"]
    assert {p["name"]: (p["state"], p["pinned"]) for p in presets} == {
        "tiny": ("ready", False),
        "other": ("failed", False),
        "third": ("ready", True),
    }


async def test_pinned_preset_that_cannot_be_loaded_is_logged(
    store: FakeStore, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that no preset has is shown nowhere else."""
    async with serve(store, pinned_presets="tinny,third") as client:
        await client.post("/fill-mask", json={"inputs": TEXT, "preset": "third"})
    [record] = [r for r in caplog.records if r.message == "preset_failed"]
    assert record.__dict__["preset"] == "tinny"


async def test_server_that_ends_loads_no_more_at_start(
    store: FakeStore, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is wrong with the presets that were left."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serve(store, pinned_presets="tiny,other"))
            await gate.reached()
            closing = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0)
            gate.open()
            await closing
    assert store.loads == ["tiny"]
    assert [r for r in caplog.records if r.message == "preset_not_loaded"] == []


async def test_server_starts_before_its_default_preset_is_loaded(
    store: FakeStore, serve: Any
) -> None:
    """Probes are answered at once."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store, preload=True) as client:
            await gate.reached()
            assert (await client.get("/healthz")).status_code == 200
            gate.open()


async def test_server_starts_with_a_default_preset_that_cannot_be_loaded(
    store: FakeStore, serve: Any
) -> None:
    """A broken preset is told by the probe, and the others are served."""
    store.errors["tiny"] = ModelLoadError("broken")
    async with serve(store, preload=True) as client:
        await client.get("/readyz")
        response = await client.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
    assert response.status_code == 200


async def test_nothing_is_loaded_at_start_where_nobody_wants_it(
    store: FakeStore, serve: Any
) -> None:
    """Preloading can be turned off."""
    async with serve(store, preload=False) as client:
        await client.get("/healthz")
    assert store.loads == []


async def test_server_that_ends_answers_what_it_has_begun(store: FakeStore, serve: Any) -> None:
    """A deployment loses no request."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(serve(store))
            caller = asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            closing = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0)
            gate.open()
            await closing
        assert (await caller).status_code == 200


async def test_servers_share_nothing(store: FakeStore, serve: Any) -> None:
    """Two servers in one process have their own models."""
    async with serve(store) as one, serve(store) as two:
        for client in (one, two):
            await client.post("/fill-mask", json={"inputs": TEXT})
    assert store.loads == ["tiny", "tiny"]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_documentation_is_served(client: httpx.AsyncClient, path: str) -> None:
    """What errors point to is there."""
    assert (await client.get(path)).status_code == 200


def test_store_of_the_settings_is_used_where_none_is_given() -> None:
    """A server needs nothing but its settings."""
    assert create_app(Settings()).title == "fillmask"
