"""What callers get when something breaks: an error with a name, and the next one an answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from fakes import FakeEngine, FakeStore, Gate, score_by_id
from model_store.engines.batches.batch import Batch, Scores

TEXT = {"inputs": "the [MASK]"}


def raise_error(_: Batch, __: int) -> Scores:
    """Fail as a runtime does."""
    message = "out of memory at 0x7f"
    raise RuntimeError(message)


def answer_nan(batch: Batch, k: int) -> Scores:
    """Answer with no numbers."""
    scores = score_by_id(batch, k)
    scores.log_probabilities[:] = np.nan
    return scores


def answer_too_few_rows(batch: Batch, k: int) -> Scores:
    """Forget a mask."""
    scores = score_by_id(batch, k)
    return Scores(*(getattr(scores, name)[:-1] for name in Scores.__slots__))


def answer_too_few_candidates(batch: Batch, k: int) -> Scores:
    """Answer for a smaller k."""
    return score_by_id(batch, k - 1)


@pytest.mark.parametrize(
    "fault", [raise_error, answer_nan, answer_too_few_rows, answer_too_few_candidates]
)
@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])
async def test_engine_that_fails_is_an_error_and_the_next_answer_is_right(
    client: httpx.AsyncClient, store: FakeStore, path: str, fault: Callable[[Batch, int], Scores]
) -> None:
    """Nothing of the inside is told, and nothing stays broken."""
    right = (await client.post(path, json=TEXT)).json()
    engine = store.engines["other"] = FakeEngine(answer=fault)
    body = TEXT | {"preset": "other"} if path == "/fill-mask" else TEXT
    broken = await client.post(path.replace("tiny", "other"), json=body)
    assert (broken.status_code, broken.json()["code"]) == (500, "inference_failed")
    assert "0x7f" not in broken.text
    engine.answer = score_by_id
    mended = (await client.post(path.replace("tiny", "other"), json=body)).json()
    assert mended == ({**right, "preset": "other"} if path == "/fill-mask" else right)


async def test_engine_that_hangs_keeps_nobody_beyond_the_deadline(
    store: FakeStore, serve: Any
) -> None:
    """Callers and probes are answered in time; the process lives, and is not ready."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, request_timeout_s=0.1, ready_timeout_s=0.1) as client:
            posts = [client.post("/fill-mask", json=TEXT) for _ in range(3)]
            gets = [client.get("/readyz"), client.get("/healthz")]
            answers = await asyncio.gather(*posts, *gets)
            assert [answer.status_code for answer in answers] == [504, 504, 504, 504, 200]
            gate.open()
            make_patient(client)
            assert (await client.post("/fill-mask", json=TEXT)).status_code == 200


def make_patient(client: Any) -> None:
    """Let a server whose requests have little time take all it needs from now on."""
    pipeline = client._transport.app.state.pipeline
    pipeline._limits = replace(pipeline._limits, timeout_s=60.0)


async def test_hung_up_callers_of_an_engine_that_hangs_hold_nothing(
    store: FakeStore, serve: Any
) -> None:
    """Their texts leave the queue, so that others have room."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, max_queue_size=2) as client:
            first = asyncio.create_task(client.post("/fill-mask", json=TEXT))
            await gate.reached()
            for _ in range(3):
                waiting = asyncio.create_task(
                    client.post("/fill-mask", json={"inputs": [TEXT["inputs"]] * 2})
                )
                await wait_for_queue(client, 2)
                assert not waiting.done()
                waiting.cancel()
                await asyncio.wait([waiting])
            last = asyncio.create_task(client.post("/fill-mask", json=TEXT))
            await wait_for_queue(client, 1)
            gate.open()
            assert [(await task).status_code for task in (first, last)] == [200, 200]


async def wait_for_queue(client: httpx.AsyncClient, size: int) -> None:
    """Wait until so many texts stand in the queue."""
    while f"fill_mask_queue_size {size}.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.mark.parametrize("jump_s", [-1e6, 1e6])
async def test_clock_that_jumps_changes_nothing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """Deadlines and durations go by a clock that nobody sets."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    answer = await client.post("/fill-mask", json=TEXT)
    assert answer.status_code == 200
    assert 0 <= float(answer.headers["x-inference-time"]) < 60_000
    metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 1.0' in metrics
