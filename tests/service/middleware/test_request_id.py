"""Every request has an id: its caller's, or a new one."""

from typing import Any

import httpx
import pytest
import structlog

from fakes import FakeStore
from model_store.errors import ModelLoadError
from service.middleware.request_id import RequestIdMiddleware
from service.settings import Settings
from service.telemetry.logs import configure_logs

ACCEPTABLE = ["a", "A.b_c-9", "0" * 128]
UNACCEPTABLE = ["", "0" * 129, "a b", "a\tb", "ä", "a/b", '"', "a;b"]


@pytest.mark.parametrize("given", ACCEPTABLE)
async def test_id_of_the_caller_is_kept(client: httpx.AsyncClient, given: str) -> None:
    """One id goes through all services."""
    answer = await client.get("/healthz", headers={"x-request-id": given})
    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", UNACCEPTABLE)
async def test_id_that_could_be_anything_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    """Nobody writes into the log of others."""
    headers = {"x-request-id": given.encode("latin-1")}
    answer = await client.get("/healthz", headers=headers)
    assert is_new(answer.headers["x-request-id"])


async def test_every_request_without_an_id_gets_its_own(client: httpx.AsyncClient) -> None:
    """None is given twice."""
    ids = {(await client.get("/healthz")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(map(is_new, ids))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nowhere", {}, 404),
        ("/healthz", {}, 405),
        ("/fill-mask", {}, 422),
        ("/fill-mask", {"inputs": "no mask"}, 422),
        ("/fill-mask", {"inputs": "x" * 2000}, 413),
        ("/fill-mask", {"inputs": "[MASK]", "preset": "other"}, 500),
        ("/fill-mask", {"inputs": "[MASK]", "preset": "third"}, 500),
    ],
)
async def test_refusals_and_failures_bear_it_too(
    store: FakeStore, serve: Any, path: str, body: dict[str, Any], status: int
) -> None:
    """They are what somebody will ask about."""
    store.errors["other"] = ModelLoadError("broken")
    store.errors["third"] = RuntimeError("unforeseen")
    async with serve(store, max_body_bytes=1000) as client:
        answer = await client.post(path, json=body, headers={"x-request-id": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")


async def test_id_is_that_of_the_log_for_as_long_as_the_request_lasts() -> None:
    """What comes after a request is not its own."""
    seen = []

    async def app(*_: Any) -> None:
        seen.append(structlog.contextvars.get_contextvars())

    scope = {"type": "http", "headers": [(b"accept", b"*/*"), (b"x-request-id", b"mine")]}
    with structlog.contextvars.bound_contextvars(request_id="outer"):
        await RequestIdMiddleware(app)(scope, None, None)  # type: ignore[arg-type]
        seen.append(structlog.contextvars.get_contextvars())
    assert seen == [{"request_id": "mine"}, {"request_id": "outer"}]


def is_new(request_id: str) -> bool:
    """Say whether an id is one of ours."""
    return len(request_id) == 32 and set(request_id) <= set("0123456789abcdef")


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"00-{TRACE}-b7ad6b7169203331-01-more", None),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", None),
        ("", None),
    ],
)
async def test_trace_of_the_caller_is_in_every_event(
    store: FakeStore, serve: Any, read_log: Any, traceparent: str, trace: str | None
) -> None:
    """Where it is one; and in none of the next request."""
    configure_logs(Settings())
    async with serve(store, access_log=True) as client:
        await client.post(
            "/fill-mask", json={"inputs": "the [MASK]"}, headers={"traceparent": traceparent}
        )
        await client.get("/healthz")
    *of_first, of_second = read_log()[:3]
    assert [event["event"] for event in of_first] == ["preset_loaded", "request"]
    assert [event.get("trace_id") for event in of_first] == [trace] * 2
    assert "trace_id" not in of_second
