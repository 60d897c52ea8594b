"""A real server process, over real sockets."""

import asyncio
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import PATIENCE_S, STOP_TIMEOUT_S, RunningServer, start_server
from model_store.fetching.catalog import read_catalog

SENTENCE = "The capital of France is [MASK]."


def post(server: RunningServer, **body: Any) -> httpx.Response:
    """Send a native request."""
    return httpx.post(f"{server.url}/fill-mask", json=body, timeout=PATIENCE_S, trust_env=False)


def test_the_embedded_preset_knows_the_capital_of_france(server: RunningServer) -> None:
    """Words come back, the right one first."""
    mask = post(server, inputs=SENTENCE).json()["results"][0]["masks"][0]
    assert mask["predictions"][0]["sequence"] == "The capital of France is paris."
    assert all(re.fullmatch("[a-z]+", p["token_str"]) for p in mask["predictions"])


def test_concurrent_requests_are_batched_and_answered_as_alone(server: RunningServer) -> None:
    """A hundred callers at once get what each would get alone, in far fewer batches.

    The server stands still until all have asked: else it could be done with each before the next.
    """
    texts = [f"The {word} is [MASK] {'very ' * (n % 9)}today." for n, word in enumerate(WORDS)]
    alone = [post(server, inputs=text).json()["results"][0] for text in texts]
    before = count_batches(server)

    sent = asyncio.Semaphore(0)

    async def note(event: str, _: object) -> None:
        if event == "http11.send_request_body.complete":
            sent.release()

    async def ask_at_once() -> list[Any]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S, trust_env=False) as client:
            url, traced = f"{server.url}/fill-mask", {"trace": note}
            posts = [client.post(url, json={"inputs": t}, extensions=traced) for t in texts]
            server.process.send_signal(signal.SIGSTOP)
            try:
                asked = asyncio.gather(*posts)
                async with asyncio.timeout(PATIENCE_S):
                    for _ in texts:
                        await sent.acquire()
            finally:
                server.process.send_signal(signal.SIGCONT)
            return [answer.json()["results"][0] for answer in await asked]

    together = asyncio.run(ask_at_once())
    for ours, expected in zip(together, alone, strict=True):
        for one, other in zip(predictions(ours), predictions(expected), strict=True):
            assert one["token"] == other["token"]
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    assert count_batches(server) - before <= len(texts) / 2


WORDS = [a + b for a in ("cat", "dog", "sky", "sea", "sun") for b in ("", "s", "ed", "ing") * 5]


def predictions(result: Any) -> list[Any]:
    """Return the predictions of the one mask of a result."""
    found: list[Any] = result["masks"][0]["predictions"]
    return found


def count_batches(server: RunningServer) -> float:
    """Return how many batches have run."""
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S, trust_env=False).text
    match = re.search(r"^fill_mask_batch_size_count (\S+)$", text, re.MULTILINE)
    assert match
    return float(match[1])


def test_presets_are_listed_with_their_states(server: RunningServer) -> None:
    """Those of the catalogue, the embedded one too, and that of the store directory."""
    answer = httpx.get(f"{server.url}/presets", timeout=PATIENCE_S, trust_env=False)
    presets = answer.json()["presets"]
    assert {p["name"] for p in presets} == {*read_catalog(), "tiny_cased"}
    assert {p["name"]: p["state"] for p in presets}["minilm_l6_en_uncased"] == "ready"


def test_sigterm_answers_what_was_accepted_and_exits_cleanly(tmp_path: Path) -> None:
    """A request under way is answered, and the exit code is that of the signal."""
    with start_server({}, tmp_path) as server:
        body = {"inputs": [f"A [MASK] {'very ' * 60}long text."] * 128}

        async def ask_and_stop() -> httpx.Response:
            async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
                request = asyncio.create_task(client.post(f"{server.url}/fill-mask", json=body))
                queued = "fill_mask_queue_size 0.0"
                while queued in (await client.get(f"{server.url}/metrics")).text:
                    assert not request.done()
                server.process.send_signal(signal.SIGTERM)
                return await request

        assert len(asyncio.run(ask_and_stop()).json()["results"]) == 128
        assert server.process.wait(STOP_TIMEOUT_S) in {0, -signal.SIGTERM}
