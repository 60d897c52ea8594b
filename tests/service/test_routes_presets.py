"""`GET /presets`: which models there are, and how they stand."""

import asyncio
from typing import Any

import httpx

from fakes import FakeStore, Gate, make_preset
from model_store.errors import PresetUnavailableError
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
        "source": "fake",
        "state": "available",
        "head": "unproven",
        "head_proof": None,
        "engine": None,
        "precision": None,
        "agreement": None,
        "bytes": None,
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
