"""`/presets`: which models there are, how they stand, and loading and unloading them."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore, Gate, make_preset, settle
from model_store.errors import HeadMissingError, ModelLoadError, PresetUnavailableError
from model_store.store import Preset

TEXT = "the [MASK]"


async def describe(client: httpx.AsyncClient, name: str = "tiny") -> dict[str, Any]:
    """Return what is said of one preset."""
    presets: list[dict[str, Any]] = (await client.get("/presets")).json()["presets"]
    return next(preset for preset in presets if preset["name"] == name)


async def test_every_preset_is_listed_in_the_order_of_the_store(
    client: httpx.AsyncClient,
) -> None:
    """The list is the store's."""
    presets = (await client.get("/presets")).json()["presets"]
    assert [preset["name"] for preset in presets] == ["tiny", "other", "third"]


async def test_default_preset_is_named(client: httpx.AsyncClient) -> None:
    """Callers learn who answers when they name nobody."""
    assert (await client.get("/presets")).json()["default"] == "tiny"


async def test_preset_that_nobody_used_is_available(client: httpx.AsyncClient) -> None:
    """Of a model that is not loaded, only what the store knows is said."""
    assert await describe(client) == {
        "name": "tiny",
        "description": "The preset tiny.",
        "parameters": 25,
        "family": None,
        "source": "fake",
        "state": "available",
        "pinned": False,
        "head": "unproven",
        "head_proof": None,
        "engine": None,
        "precision": None,
        "agreement": None,
        "candidates": [],
        "bytes": None,
        "notice": None,
        "error": None,
    }


async def test_preset_that_is_being_loaded_is_loading(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A load under way is seen."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        caller = asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
        await gate.reached()
        assert (await describe(client))["state"] == "loading"
    await caller


async def test_preset_that_is_loaded_is_ready(client: httpx.AsyncClient) -> None:
    """Of a loaded model, what runs it and what it takes is said."""
    await client.post("/fill-mask", json={"inputs": TEXT})
    info = await describe(client)
    facts = [info[field] for field in ("state", "engine", "precision", "bytes", "error")]
    assert facts == ["ready", "fake", "float32", 100, None]


async def test_preset_that_could_not_be_loaded_is_failed(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A failure is kept with its reason."""
    store.errors["tiny"] = PresetUnavailableError("The files of tiny are not here; fetch them.")
    await client.post("/fill-mask", json={"inputs": TEXT})
    info = await describe(client)
    assert (info["state"], info["error"]) == (
        "failed",
        "The files of tiny are not here; fetch them.",
    )


async def test_preset_that_was_mended_is_ready(client: httpx.AsyncClient, store: FakeStore) -> None:
    """A failure is forgotten when a load succeeds."""
    store.errors["tiny"] = PresetUnavailableError("not here")
    await client.post("/fill-mask", json={"inputs": TEXT})
    del store.errors["tiny"]
    await client.post("/fill-mask", json={"inputs": TEXT})
    info = await describe(client)
    assert (info["state"], info["error"]) == ("ready", None)


async def test_preset_without_a_head_says_why(serve: Any) -> None:
    """What can never fill a mask is listed, and says so before anybody tries."""
    store = FakeStore([make_preset("classifier", no_head="classifier has no head; use tiny.")])
    async with serve(store) as client:
        info = await describe(client, "classifier")
    assert (info["head"], info["error"]) == ("missing", "classifier has no head; use tiny.")


async def test_list_is_answered_while_its_models_come_and_go(serve: Any) -> None:
    """A model that is evicted while the list is written harms nobody."""
    gate = Gate()

    class SlowStore(FakeStore):
        """A store on a slow disk."""

        is_slow = False

        def presets(self) -> list[Preset]:
            if self.is_slow:
                gate.pass_through()
            return super().presets()

    store = SlowStore([make_preset("tiny"), make_preset("other")])
    async with serve(store, max_loaded_presets=1) as client:
        await client.post("/fill-mask", json={"inputs": TEXT})
        with gate:
            store.is_slow = True
            listing = asyncio.create_task(client.get("/presets"))
            await gate.reached()
            store.is_slow = False
            await client.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
            # Whoever asks next is answered after the eviction of the first one began.
            await client.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
        assert (await listing).status_code == 200


async def test_load_answers_how_the_preset_stands(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """It needs no body."""
    answer = await client.post("/presets/tiny/load")
    assert (answer.status_code, store.loads) == (200, ["tiny"])
    assert answer.json() == await describe(client)
    assert (answer.json()["state"], answer.json()["pinned"]) == ("ready", False)


async def test_load_of_a_loaded_preset_leaves_it(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Loading is no reloading."""
    for _ in range(2):
        await client.post("/presets/tiny/load", json={})
    assert store.loads == ["tiny"]


async def test_reload_reads_the_files_anew(client: httpx.AsyncClient, store: FakeStore) -> None:
    """What was replaced is served from then on."""
    await client.post("/presets/tiny/load")
    store.sizes["tiny"] = 400
    answer = await client.post("/presets/tiny/load", json={"reload": True})
    assert (answer.status_code, answer.json()["bytes"]) == (200, 400)


async def test_requests_during_a_reload_are_answered(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """By the model that was there before."""
    await client.post("/presets/tiny/load")
    with Gate() as gate:
        store.gates["tiny"] = gate
        reloading = asyncio.create_task(client.post("/presets/tiny/load", json={"reload": True}))
        await gate.reached()
        assert (await client.post("/fill-mask", json={"inputs": TEXT})).status_code == 200
        assert (await describe(client))["state"] == "ready"
    assert (await reloading).status_code == 200


async def test_failed_reload_is_told_and_keeps_the_model(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A broken file takes no preset away."""
    await client.post("/presets/tiny/load")
    store.errors["tiny"] = HeadMissingError("No head; use another preset.")
    answer = await client.post("/presets/tiny/load", json={"reload": True})
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "No head; use another preset.", "code": "head_missing"},
    )
    assert (await client.post("/fill-mask", json={"inputs": TEXT})).status_code == 200


@pytest.mark.parametrize(("body", "ready"), [({"pin": True}, ["tiny", "third"]), ({}, ["third"])])
async def test_pinned_preset_makes_no_room(
    store: FakeStore, serve: Any, body: dict[str, Any], ready: list[str]
) -> None:
    """It stays beside what is loaded after it."""
    async with serve(store, max_loaded_presets=1) as client:
        pinned = (await client.post("/presets/tiny/load", json=body)).json()["pinned"]
        for preset in ("other", "third"):
            await client.post("/fill-mask", json={"inputs": TEXT, "preset": preset})
        await client.post("/fill-mask", json={"inputs": TEXT, "preset": "third"})
        presets = (await client.get("/presets")).json()["presets"]
    assert [preset["name"] for preset in presets if preset["state"] == "ready"] == ready
    assert [preset["name"] for preset in presets if preset["pinned"]] == ready[:-1]
    assert pinned is bool(body)


async def test_unload_answers_how_the_preset_stands(client: httpx.AsyncClient) -> None:
    """Pinned or not, it is available and no more."""
    await client.post("/presets/tiny/load", json={"pin": True})
    answer = await client.post("/presets/tiny/unload")
    assert answer.status_code == 200
    assert answer.json() == await describe(client)
    assert (answer.json()["state"], answer.json()["pinned"]) == ("available", False)


async def test_unload_of_what_is_not_loaded_does_nothing(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """There is nothing to do."""
    answer = await client.post("/presets/tiny/unload")
    assert (answer.status_code, answer.json()["state"], store.loads) == (200, "available", [])


async def test_unload_waits_for_the_requests_under_way(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """They are answered; whoever comes later has the preset loaded anew."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        asking = asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
        await gate.reached()
        unloading = asyncio.create_task(client.post("/presets/tiny/unload"))
        while (await describe(client))["state"] == "ready":
            await settle()
        assert not unloading.done()
    assert (await unloading).json()["state"] == "available"
    assert (await asking).status_code == 200


async def test_load_that_takes_too_long_goes_on(store: FakeStore, serve: Any) -> None:
    """Its caller is told, and who comes later finds it loaded."""
    async with serve(store, request_timeout_s=0.2) as client:
        with Gate() as gate:
            store.gates["tiny"] = gate
            answer = await client.post("/presets/tiny/load", json={"pin": True})
        assert (answer.status_code, answer.json()["code"]) == (504, "timeout")
        while (await describe(client))["state"] == "loading":
            await settle()
        assert (await describe(client))["pinned"]
    assert store.loads == ["tiny"]


async def test_unload_that_takes_too_long_goes_on(store: FakeStore, serve: Any) -> None:
    """The preset is out of sight already."""
    async with serve(store, request_timeout_s=0.2) as client:
        pipeline = client._transport.app.state.pipeline
        pipeline._limits = replace(pipeline._limits, timeout_s=60.0)  # who asks has all the time
        with Gate() as gate:
            store.engines["tiny"] = FakeEngine(gate)
            asking = asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            answer = await client.post("/presets/tiny/unload")
            assert (answer.status_code, answer.json()["code"]) == (504, "timeout")
            assert (await describe(client))["state"] == "available"
        await asking


@pytest.mark.parametrize("name", ["unknown", "..", "%2e%2e", "..%2ftiny", "tiny%00", "%2fetc"])
@pytest.mark.parametrize("route", ["load", "unload"])
async def test_unknown_preset_is_not_found(
    client: httpx.AsyncClient, store: FakeStore, name: str, route: str
) -> None:
    """It never gets in line for a load."""
    answer = await client.post(f"/presets/{name}/{route}")
    assert answer.status_code == 404
    assert store.loads == []
    models: Any = client._transport.app.state.pipeline._models  # type: ignore[attr-defined]
    assert models.failures() == {}


async def test_only_the_preset_that_is_named_is_loaded_and_answered(
    client: httpx.AsyncClient,
) -> None:
    """Wherever it stands in the list."""
    for route, state in (("load", "ready"), ("unload", "available")):
        answer = (await client.post(f"/presets/third/{route}")).json()
        assert (answer["name"], answer["state"]) == ("third", state)
        assert (await describe(client))["state"] == "available"


@pytest.mark.parametrize("body", [{"pin": 1}, {"reload": "yes"}, {"path": "/etc"}, [], "x"])
async def test_body_that_is_none_is_refused(
    client: httpx.AsyncClient, store: FakeStore, body: Any
) -> None:
    """Nothing is guessed."""
    answer = await client.post("/presets/tiny/load", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert store.loads == []


@pytest.mark.parametrize("route", ["load", "unload"])
async def test_preset_whose_files_are_gone_is_not_found(
    client: httpx.AsyncClient, store: FakeStore, route: str
) -> None:
    """One that is not loaded is nowhere any more."""
    store._listed.clear()
    answer = await client.post(f"/presets/tiny/{route}")
    assert (answer.status_code, answer.json()["code"]) == (404, "preset_not_found")


async def test_loaded_preset_whose_files_are_gone_is_listed_and_can_be_unloaded(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Its memory is still to be had."""
    await client.post("/presets/tiny/load", json={"pin": True})
    store._listed = [preset for preset in store._listed if preset.name != "tiny"]
    info = await describe(client)
    assert (info["state"], info["bytes"], info["pinned"]) == ("ready", 100, True)
    assert "gone from the store" in info["error"]
    answer = await client.post("/presets/tiny/unload")
    assert answer.status_code == 200
    left = answer.json()
    assert (left["state"], left["bytes"], left["pinned"]) == ("failed", None, False)
    assert "cannot be loaded again" in left["error"]
    presets = (await client.get("/presets")).json()["presets"]
    assert [preset["name"] for preset in presets] == ["other", "third"]


async def test_failed_reload_is_told_while_the_old_model_answers(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """An alert sends people here; a load that succeeds ends it."""
    await client.post("/presets/tiny/load")
    store.errors["tiny"] = ModelLoadError("Mend its files.")
    assert (await client.post("/presets/tiny/load", json={"reload": True})).status_code == 500
    info = await describe(client)
    assert info["state"] == "ready"
    assert info["error"].endswith("could not be loaded anew: Mend its files.")
    del store.errors["tiny"]
    await client.post("/presets/tiny/load", json={"reload": True})
    assert (await describe(client))["error"] is None


async def test_preset_that_cannot_be_read_is_failed(serve: Any) -> None:
    """Before anybody has asked for it."""
    reason = "/presets/shut cannot be used; give access."
    shut = replace(make_preset("shut"), unreadable=reason)
    async with serve(FakeStore([make_preset("tiny"), shut])) as client:
        info = await describe(client, "shut")
        assert (info["state"], info["error"]) == ("failed", reason)
        assert (await describe(client))["state"] == "available"


async def test_one_preset_is_described_as_the_list_does(client: httpx.AsyncClient) -> None:
    """Before and after its load."""
    for state in ("available", "ready"):
        alone = await client.get("/presets/tiny")
        assert (alone.status_code, alone.json()) == (200, await describe(client))
        assert alone.json()["state"] == state
        await client.post("/fill-mask", json={"inputs": TEXT})


async def test_preset_that_is_not_there_is_not_described(client: httpx.AsyncClient) -> None:
    """The refusal is that of a request to it."""
    answer = await client.get("/presets/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "preset_not_found")
