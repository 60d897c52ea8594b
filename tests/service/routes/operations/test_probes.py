"""`GET /healthz`, `/readyz` and `/metrics`: what the platform asks."""

from typing import Any

import httpx
import numpy as np
import pytest

from fakes import FakeEngine, FakeStore, Gate, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from model_store.errors import HeadMissingError, ModelLoadError, PresetUnavailableError


async def test_process_that_lives_is_healthy(client: httpx.AsyncClient) -> None:
    """The answer costs nothing."""
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_process_without_a_model_is_healthy(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Restarting it would mend no file."""
    store.errors["tiny"] = ModelLoadError("broken")
    await client.get("/readyz")
    assert (await client.get("/healthz")).status_code == 200


async def test_server_whose_default_preset_answers_is_ready(client: httpx.AsyncClient) -> None:
    """A model that fills a mask is proof enough."""
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_readiness_is_that_of_the_engine(client: httpx.AsyncClient, store: FakeStore) -> None:
    """A model that is loaded but cannot run is no model."""

    def answer_with_no_numbers(batch: Batch, k: int) -> Scores:
        scores = score_by_id(batch, k)
        scores.log_probabilities[:] = np.nan
        return scores

    store.engines["tiny"] = FakeEngine(answer=answer_with_no_numbers)
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (500, "inference_failed")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PresetUnavailableError("Fetch its files."), 502, "preset_unavailable"),
        (HeadMissingError("Use another."), 500, "head_missing"),
        (ModelLoadError("Mend its files."), 500, "model_load_failed"),
    ],
)
async def test_server_that_is_not_ready_says_why(
    client: httpx.AsyncClient, store: FakeStore, error: Exception, status: int, code: str
) -> None:
    """Readiness fails with the very error that a request would get."""
    store.errors["tiny"] = error
    response = await client.get("/readyz")
    assert response.status_code == status
    assert response.json() == {"error": str(error), "code": code}


async def test_server_whose_preset_is_being_loaded_says_so(store: FakeStore, serve: Any) -> None:
    """And not that somebody sent too much."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store, ready_timeout_s=0.05, request_timeout_s=0.05) as client:
            ready = await client.get("/readyz")
            loaded = await client.post("/presets/tiny/load")
            gate.open()
    for response in (ready, loaded):
        assert (response.status_code, response.json()["code"]) == (504, "timeout")
        assert response.json()["error"].startswith("tiny is still being loaded after 0.05 seconds;")


async def test_server_whose_engine_is_stuck_does_not_say_that_it_loads(
    store: FakeStore, serve: Any
) -> None:
    """Waiting would not help."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, ready_timeout_s=0.05) as client:
            await client.post("/presets/tiny/load")
            stuck = await client.get("/readyz")
            gate.open()
    assert stuck.json()["error"].startswith("No answer within 0.05 seconds;")


async def test_server_with_an_unknown_default_preset_is_not_ready(
    store: FakeStore, serve: Any
) -> None:
    """A misspelt setting is found by the first probe."""
    async with serve(store, default_preset="nobody") as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (404, "preset_not_found")


async def test_server_is_ready_again_when_its_preset_is_mended(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """Every probe tries anew."""
    store.errors["tiny"] = ModelLoadError("broken")
    await client.get("/readyz")
    del store.errors["tiny"]
    assert (await client.get("/readyz")).status_code == 200


async def test_metrics_are_in_the_text_format_of_prometheus(client: httpx.AsyncClient) -> None:
    """A scraper knows what it reads."""
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE fill_mask_requests_total counter" in response.text
