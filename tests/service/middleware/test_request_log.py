"""What is logged of requests."""

from collections.abc import Callable
from typing import Any

import pytest

from fakes import FakeStore
from model_store.errors import ModelLoadError
from service.logs import configure_logs
from service.settings import Settings

BODY = {"inputs": "the [MASK]"}


async def test_request_is_one_event(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """With its route, status, time and id."""
    configure_logs(Settings())
    async with serve(store, access_log=True) as client:
        await client.post("/models/tiny", json=BODY, headers={"x-request-id": "mine"})
    [event] = read_log()
    assert 0 < event.pop("seconds") < 60
    del event["timestamp"]
    assert event == {
        "event": "request",
        "level": "info",
        "logger": "service.middleware.request_log",
        "method": "POST",
        "request_id": "mine",
        "route": "/models/{preset}",
        "status": 200,
    }


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/fill-mask", ("/fill-mask", 422)),
        ("/healthz", ("/healthz", 405)),
        ("/nowhere", (None, 404)),
        ("/models/none", ("/models/{preset}", 422)),
    ],
)
async def test_refusals_are_events_too(
    store: FakeStore, serve: Any, read_log: Callable[[], Any], path: str, logged: Any
) -> None:
    """A path that is no route's is not shown: it could hold anything."""
    configure_logs(Settings())
    async with serve(store, access_log=True) as client:
        await client.post(path, json={})
    [event] = read_log()
    assert (event["route"], event["status"]) == logged


async def test_requests_are_logged_only_where_that_is_asked_for(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """It takes time."""
    configure_logs(Settings())
    async with serve(store) as client:
        await client.post("/fill-mask", json=BODY)
        await client.post("/fill-mask", json={})
    assert read_log() == []


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (RuntimeError("secret"), {"method": "POST", "route": "/fill-mask"}),
        (ModelLoadError("secret"), {"code": "model_load_failed"}),
    ],
)
async def test_failure_is_logged_once_with_its_traceback(
    store: FakeStore, serve: Any, read_log: Callable[[], Any], error: Exception, fields: Any
) -> None:
    """Whoever mends the server needs it; the caller's id leads to it."""
    store.errors["tiny"] = error
    configure_logs(Settings())
    async with serve(store) as client:
        answer = await client.post("/fill-mask", json=BODY, headers={"x-request-id": "mine"})
    assert answer.status_code == 500
    [event] = read_log()
    assert event["event"] == "request_failed"
    assert event["level"] == "error"
    assert event["request_id"] == "mine"
    assert "Traceback (most recent call last)" in event["exception"]
    assert event["exception"].splitlines()[-1].endswith(type(error).__name__)
    assert event.items() >= fields.items()
    assert "secret" not in str(event)
