"""What goes around the whole application: who may call it from a page, and what a page may do."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore
from service.app import create_app
from service.settings import Settings

ORIGIN = "https://app.example.org"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
FOR_PAGES = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/docs", "/openapi.json", "/nowhere"])
async def test_no_content_type_is_guessed(client: httpx.AsyncClient, path: str) -> None:
    """An answer is what it says it is."""
    answer = await client.get(path)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_page_is_in_no_frame_and_tells_no_address(client: httpx.AsyncClient) -> None:
    """Nobody puts another page over ours."""
    page = (await client.get("/docs")).headers
    assert {name: page[name] for name in FOR_PAGES} == FOR_PAGES
    assert not FOR_PAGES.keys() & (await client.get("/openapi.json")).headers.keys()


async def test_other_origins_are_not_let_in(client: httpx.AsyncClient) -> None:
    """Unless somebody names them, no page of others calls."""
    answer = await client.get("/healthz", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers
    asked = await client.options("/fill-mask", headers={"origin": ORIGIN} | PREFLIGHT)
    assert asked.status_code == 405


async def test_named_origin_may_call(store: FakeStore, serve: Any) -> None:
    """With a JSON body and a key."""
    async with serve(store, cors_origins=(ORIGIN,)) as client:
        asked = await client.options("/fill-mask", headers={"origin": ORIGIN} | PREFLIGHT)
        answer = await client.post("/fill-mask", json={}, headers={"origin": ORIGIN})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    assert asked.headers["access-control-allow-headers"] == "x-api-key"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    # Without credentials this is every header: times, ids, when to try again.
    assert answer.headers["access-control-expose-headers"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_origin_that_is_not_named_may_not(store: FakeStore, serve: Any) -> None:
    """The list is all there is; refusals have an id and are no page."""
    headers = {"origin": "https://other.example.org"}
    async with serve(store, cors_origins=(ORIGIN,)) as client:
        asked = await client.options("/fill-mask", headers=headers | PREFLIGHT)
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert asked.headers["x-request-id"]


async def test_internal_error_can_be_read_by_a_page(store: FakeStore, serve: Any) -> None:
    """It passes all of the middleware, as every other answer does."""
    store.errors["tiny"] = RuntimeError("unforeseen")
    async with serve(store, cors_origins=(ORIGIN,)) as client:
        answer = await client.post(
            "/fill-mask", json={"inputs": "[MASK]"}, headers={"origin": ORIGIN}
        )
    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


async def test_start_and_end_of_the_server_pass_through(store: FakeStore) -> None:
    """They are no requests, and get no ids and no headers."""
    app = create_app(Settings(default_preset="tiny", preload=False), store)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan", "state": {}}, receive, send)
    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
