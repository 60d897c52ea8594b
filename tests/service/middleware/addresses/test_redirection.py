"""Paths with a slash too many."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from fakes import FakeStore
from service.middleware.addresses.route import find_redirection

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


@pytest.mark.parametrize(("path", "address"), [("/x", "/x/"), ("//evil.org", None)])
def test_redirection_never_leads_to_another_host(path: str, address: str | None) -> None:
    """Even if a route took every path: two slashes begin the name of a host."""
    app = SimpleNamespace(named_routes=[Route("/{anything:path}/", lambda _: None)])
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "app": app}
    assert find_redirection(scope) == address


async def test_what_a_caller_wrote_stays_quoted(client: httpx.AsyncClient) -> None:
    """It is an address, not a piece of a header."""
    answer = await client.get("/presets/a%3Fb%0Ac/")
    assert answer.headers["location"] == "/presets/a%3Fb%0Ac"
