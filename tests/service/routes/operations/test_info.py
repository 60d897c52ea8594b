"""`GET /info`, and what every route that only looks has in common."""

from importlib.metadata import version
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from service.app import create_app
from service.settings import Settings

PATHS = create_app(Settings()).openapi()["paths"]
LOOKING = [*(path for path, methods in PATHS.items() if "get" in methods), "/docs", "/openapi.json"]


async def test_server_says_what_it_is(store: FakeStore, serve: Any) -> None:
    """Its version, and the limits under the names of the settings."""
    async with serve(store, max_inputs=7, request_timeout_s=2.5) as client:
        info = (await client.get("/info")).json()
    assert info["version"] == version("fillmask")
    assert info["default"] == "tiny"
    assert (info["limits"]["max_inputs"], info["limits"]["request_timeout_s"]) == (7, 2.5)
    assert info["limits"].keys() <= Settings.model_fields.keys()


async def test_server_says_what_is_loaded(client: httpx.AsyncClient) -> None:
    """Nothing, until somebody asks for it."""
    assert (await client.get("/info")).json()["loaded"] == []
    await client.post("/fill-mask", json={"inputs": "the [MASK]", "preset": "other"})
    assert (await client.get("/info")).json()["loaded"] == ["other"]


async def test_info_takes_a_key_where_the_list_of_presets_does(
    store: FakeStore, serve: Any
) -> None:
    """It is no probe."""
    async with serve(store, api_keys=("one",), admin_keys=()) as client:
        assert (await client.get("/info")).status_code == 401
        answer = await client.get("/info", headers={"authorization": "Bearer one"})
    assert answer.status_code == 200


def test_example_is_one() -> None:
    """The document shows every field of the answer."""
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    [example] = schemas["ServerInfo"]["examples"]
    assert example.keys() == schemas["ServerInfo"]["properties"].keys()
    assert example["limits"].keys() == schemas["LimitsInfo"]["properties"].keys()
    assert example["limits"] == {name: getattr(Settings(), name) for name in example["limits"]}


@pytest.mark.parametrize("path", LOOKING)
async def test_whatever_can_be_got_can_be_looked_for(client: httpx.AsyncClient, path: str) -> None:
    """Those who watch whether a server is up send HEAD."""
    url = path.format(name="tiny", preset="tiny")
    await client.post("/presets/tiny/load")
    got, looked = await client.get(url), await client.head(url)
    assert (looked.status_code, looked.headers["content-type"]) == (
        got.status_code,
        got.headers["content-type"],
    )
    assert got.status_code == 200
