"""`POST /embed-sparse`: what callers may send, and what they get."""

import math
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from model_store.tasks.embed_sparse import EmbedSparseRequest
from service.routes import embed_sparse
from service.routes.embed_sparse import SparseValue

VALUES = [math.log1p(2 + i * math.log(0.5)) for i in (1, 2)]
"""What the fake engine's logits come to; those of all other entries are below zero."""


async def embed(client: httpx.AsyncClient, path: str = "/embed-sparse", **body: Any) -> Any:
    """Return the answer to a good request, whose form is that of the schema."""
    response = await client.post(path, json={"inputs": "the cat"} | body)
    assert response.status_code == 200, response.text
    answer = response.json()
    for value in (value for text in answer for value in text):
        SparseValue.model_validate(value, strict=True, extra="forbid")
    return answer


async def refuse(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Return the answer to a bad request."""
    response = await client.post("/embed-sparse", json={"inputs": "the cat"} | body)
    assert response.status_code == 422, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("path", ["/embed-sparse", "/embed_sparse"])
async def test_answer_is_that_of_text_embeddings_inference(
    client: httpx.AsyncClient, path: str
) -> None:
    """A list of values for each text, and nothing around it; its own path answers too."""
    [values] = await embed(client, path)
    assert values == [
        {"index": 0, "value": pytest.approx(VALUES[0], abs=1e-6)},
        {"index": 1, "value": pytest.approx(VALUES[1], abs=1e-6)},
    ]


async def test_every_input_is_answered(client: httpx.AsyncClient) -> None:
    """A list of one text too."""
    assert len(await embed(client, inputs=["a dog", "the cat", "paris"])) == 3
    assert len(await embed(client, inputs=["a dog"])) == 1


async def test_entries_are_named_and_the_largest_kept_on_request(
    client: httpx.AsyncClient,
) -> None:
    """Each value with its entry."""
    [values] = await embed(client, top_k=1, token_str=True)
    assert [(value["index"], value["token_str"]) for value in values] == [(0, "paris")]


async def test_long_text_is_cut_on_request_only(client: httpx.AsyncClient) -> None:
    """The sentence names both lengths."""
    refused = await refuse(client, inputs=["cat", "the " * 40], truncate=None)
    assert (refused["code"], refused["input"]) == ("text_too_long", 1)
    assert len(await embed(client, inputs="the " * 40, truncate=True)) == 1


async def test_preset_is_the_callers(client: httpx.AsyncClient, store: FakeStore) -> None:
    """The default one if there is none."""
    await embed(client, preset="other")
    await embed(client)
    assert store.loads == ["other", "tiny"]


async def test_large_answers_are_written_alike(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread of their own."""
    here = await embed(client, token_str=True)
    monkeypatch.setattr(embed_sparse, "_INLINE_VALUES", 1)
    assert await embed(client, token_str=True) == here


async def test_too_many_values_are_refused(store: FakeStore, serve: Any) -> None:
    """Whether the request shows it, or what comes back."""
    async with serve(store, max_sparse_values=3) as client:
        assert await embed(client)
        refused = await refuse(client, inputs=["a", "b"])
        assert refused["code"] == "invalid_request"
        assert "4 values and the limit is 3" in refused["error"]
        assert "6 values" in (await refuse(client, inputs=["a", "b"], top_k=3))["error"]


@pytest.mark.parametrize(
    "body", [{"inputs": []}, {"top_k": 0}, {"truncate": 1}, {"targets": ["a"]}]
)
async def test_bad_bodies_are_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """By the field at fault."""
    refused = await refuse(client, **body)
    assert refused["code"] == "invalid_request"
    assert next(iter(body)) in refused["error"]


async def test_metrics_count_the_task(client: httpx.AsyncClient) -> None:
    """Under the name of its own."""
    await embed(client)
    lines = (await client.get("/metrics")).text.splitlines()
    name = EmbedSparseRequest.name
    assert any(f'task="{name}"' in line and line.endswith(" 1.0") for line in lines)
