"""What is logged of requests."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fakes import FakeEngine, FakeStore, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from model_store.errors import ModelLoadError
from service.settings import Settings
from service.telemetry.logs import configure_logs

BODY = {"inputs": "the [MASK]"}


async def test_request_is_one_event(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """With its route, status, time and id."""
    configure_logs(Settings())
    async with serve(store, access_log=True) as client:
        await client.post("/models/tiny", json=BODY, headers={"x-request-id": "mine"})
    [event] = [event for event in read_log() if event["event"] == "request"]
    assert 0 < event.pop("seconds") < 60
    del event["timestamp"]
    assert event == {
        "client": "127.0.0.1",
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
    assert [e for e in read_log() if e["event"] == "request"] == []


async def test_unforeseen_failure_is_logged_with_its_places(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """Whoever mends the server needs them; the caller's id leads to them."""
    store.errors["tiny"] = RuntimeError("secret")
    configure_logs(Settings())
    async with serve(store) as client:
        answer = await client.post("/fill-mask", json=BODY, headers={"x-request-id": "mine"})
    assert answer.status_code == 500
    [event] = [event for event in read_log() if event["event"] == "request_failed"]
    assert event.items() >= {"level": "error", "request_id": "mine", "method": "POST"}.items()
    assert event["route"] == "/fill-mask"
    assert "Traceback (most recent call last)" in event["exception"]
    assert event["exception"].splitlines()[-1] == "builtins.RuntimeError"
    assert "secret" not in str(event)


async def test_load_that_fails_is_logged_once_and_not_for_each_request(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """With its sentence, which quotes no caller, and without a traceback."""
    store.errors["tiny"] = ModelLoadError("Mend it.")
    configure_logs(Settings())
    async with serve(store) as client:
        for _ in range(2):
            await client.post("/fill-mask", json=BODY, headers={"x-request-id": "mine"})
    [event] = read_log()
    assert (event["event"], event["reason"]) == ("preset_failed", "Mend it.")
    assert event["request_id"] == "mine"
    assert "exception" not in event


async def test_model_that_answers_no_numbers_is_logged_with_the_reason(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """For each request that got none: an engine that fails now and then must be seen."""

    def answer(batch: Batch, k: int) -> Scores:
        scores = score_by_id(batch, k)
        scores.log_probabilities[:] = np.nan
        return scores

    store.engines["tiny"] = FakeEngine(answer=answer)
    configure_logs(Settings())
    async with serve(store) as client:
        await client.post("/fill-mask", json=BODY, headers={"x-request-id": "mine"})
    [event] = [event for event in read_log() if event["event"] == "request_failed"]
    assert (event["code"], event["request_id"]) == ("inference_failed", "mine")
    assert event["reason"].startswith("The model answered with no numbers")
    assert "exception" not in event
