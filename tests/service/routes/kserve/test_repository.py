"""`/v2/repository`: which presets there are, and loading and unloading them."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore
from model_store.errors import ModelLoadError

LOAD, UNLOAD = (f"/v2/repository/models/tiny/{what}" for what in ("load", "unload"))
INDEX = "/v2/repository/index"


async def states(client: httpx.AsyncClient, **body: Any) -> dict[str, str]:
    """Return the state of every preset that is listed."""
    entries = (await client.post(INDEX, json=body)).json()
    assert {entry["version"] for entry in entries} <= {"1"}
    return {entry["name"]: entry["state"] for entry in entries}


async def test_presets_are_loaded_and_unloaded(client: httpx.AsyncClient, store: FakeStore) -> None:
    """The index tells how they stand meanwhile."""
    assert set((await states(client)).values()) == {"UNAVAILABLE"}
    assert (await client.post(LOAD, json={})).json() == {"name": "tiny", "load": True}
    assert await states(client) == {
        "tiny": "READY",
        "other": "UNAVAILABLE",
        "third": "UNAVAILABLE",
    }
    assert await states(client, ready=True) == {"tiny": "READY"}
    body = {"parameters": {"unload_dependents": False}}
    assert (await client.post(UNLOAD, json=body)).json() == {"name": "tiny", "unload": True}
    assert await states(client, ready=True) == {}
    assert store.loads == ["tiny"]


async def test_a_load_reads_the_files_anew(client: httpx.AsyncClient, store: FakeStore) -> None:
    """As Triton does, whose callers replace files and load."""
    await client.post(LOAD)
    await client.post(LOAD)
    assert store.loads == ["tiny", "tiny"]


async def test_index_says_why_a_preset_cannot_be_used(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """In the sentence that the load was answered with."""
    store.errors["tiny"] = ModelLoadError("Broken.")
    assert (await client.post(LOAD)).json()["error"] == "Broken."
    entries = (await client.post(INDEX)).json()
    assert [(entry["state"], entry["reason"]) for entry in entries] == [
        ("UNAVAILABLE", "Broken."),
        ("UNAVAILABLE", ""),
        ("UNAVAILABLE", ""),
    ]


@pytest.mark.parametrize("type_", [None, "text/plain; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("path", [INDEX, LOAD, UNLOAD])
async def test_bodies_may_have_any_type(
    client: httpx.AsyncClient, path: str, type_: str | None
) -> None:
    """Triton's client names none, and its asynchronous one that of text."""
    headers = {"content-type": type_} if type_ else {}
    assert (await client.post(path, content=b"{}", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", [INDEX, LOAD, UNLOAD])
async def test_only_admins_are_let_in(store: FakeStore, serve: Any, path: str) -> None:
    """As at the native interface."""
    async with serve(store, api_keys=("key",)) as client:
        client.headers["authorization"] = "Bearer key"
        response = await client.post(path)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert store.loads == []


@pytest.mark.parametrize("parameters", [{"config": "{}"}, {"file:1/model.onnx": "eA=="}])
async def test_models_of_the_callers_own_are_refused(
    client: httpx.AsyncClient, store: FakeStore, parameters: dict[str, str]
) -> None:
    """What is loaded is what lies in the store."""
    response = await client.post(LOAD, json={"parameters": parameters})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert store.loads == []


@pytest.mark.parametrize("what", ["load", "unload"])
async def test_nobodys_preset_is_not_found(client: httpx.AsyncClient, what: str) -> None:
    """As everywhere."""
    response = await client.post(f"/v2/repository/models/nobody/{what}")
    assert (response.status_code, response.json()["code"]) == (404, "preset_not_found")
