"""Paths with a slash too many."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore

ROOT = "/fillmask"


async def test_slash_too_many_leads_to_the_route(client: httpx.AsyncClient) -> None:
    """With its query, and without scheme and host: a proxy has others."""
    answer = await client.post("/fill-mask/?a=%2F&b", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/fill-mask?a=%2F&b")
    assert (await client.get("/docs/")).headers["location"] == "/docs"


async def test_redirection_can_be_followed(client: httpx.AsyncClient) -> None:
    """The method and the body stay."""
    answer = await client.post("/fill-mask/", json={"inputs": "[MASK]"}, follow_redirects=True)
    assert answer.json()["preset"] == "tiny"


@pytest.mark.parametrize("prefix", [ROOT, ""])
async def test_redirection_stays_under_the_prefix(
    store: FakeStore, serve: Any, prefix: str
) -> None:
    """Whichever kind of proxy it goes through."""
    async with serve(store, root_path=ROOT) as client:
        answer = await client.post(f"{prefix}/score/")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{ROOT}/score")


@pytest.mark.parametrize(
    "path", ["//", "/nowhere/", "//healthz/", "/docs/none", "/docs/none/", "/page/", "//evil.org"]
)
async def test_path_that_leads_nowhere_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """Two slashes would name another host."""
    url = httpx.URL("http://fillmask").copy_with(raw_path=path.encode())
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_request")


async def test_what_a_caller_wrote_stays_quoted(client: httpx.AsyncClient) -> None:
    """It is an address, not a piece of a header."""
    answer = await client.get("/presets/a%3Fb%0Ac/")
    assert answer.headers["location"] == "/presets/a%3Fb%0Ac"
