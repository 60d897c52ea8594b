"""What docs/configuration.md says of every limit on a request is so, at it and one above it."""

from typing import Any

import pytest

from fakes import FakeStore
from service.settings import Settings

OF_MODELS = {"loaded_presets", "loaded_bytes", "batch_size", "batch_tokens"}
OF_QUEUES = {"queue_size", "queue_tokens"}
OF_CONNECTIONS = {"connections", "header_bytes", "header_fields"}
OF_LINES = {"pending_lines"}
"""Limits of the server that no single request meets, or nothing but a connection."""

MASK = "the [MASK]"
AT_AND_ABOVE: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "inputs": (2, {"inputs": [MASK] * 2}, {"inputs": [MASK] * 3}),
    "characters": (10, {"inputs": MASK}, {"inputs": f"{MASK}."}),
    "masks": (1, {"inputs": MASK}, {"inputs": f"{MASK} [MASK]"}),
    "top_k": (3, {"inputs": MASK, "top_k": 3}, {"inputs": MASK, "top_k": 4}),
    "targets": (
        2,
        {"inputs": MASK, "targets": ["cat", "dog"]},
        {"inputs": MASK, "targets": ["cat", "dog", "is"]},
    ),
    "predictions": (
        6,
        {"inputs": [MASK] * 2, "top_k": 3},
        {"inputs": [MASK, f"{MASK} [MASK]"], "top_k": 3},
    ),
    "answer_characters": (
        40,
        {"inputs": [MASK] * 2, "top_k": 2},
        {"inputs": [MASK, f"{MASK}."], "top_k": 2},
    ),
    "beam_width": (
        3,
        {"inputs": MASK, "decode": "joint", "beam_width": 3},
        {"inputs": MASK, "decode": "joint", "beam_width": 4},
    ),
    "rows": (2, {"inputs": [MASK] * 2}, {"inputs": [MASK] * 3}),
    "sparse_values": (4, {"inputs": ["the", "cat"]}, {"inputs": ["the", "cat", "sat"]}),
    "listed_tokens": (7, {"inputs": ["the cat", "cat"]}, {"inputs": ["the cat", "cat sat"]}),
    "body_bytes": (23, {"inputs": MASK}, {"inputs": f"{MASK} "}),
}

PATHS = {"sparse_values": "/embed-sparse", "listed_tokens": "/tokenize"}
"""Where a limit is met, if not in filling."""


def test_every_limit_on_a_request_is_here() -> None:
    """A new one is held to its words too."""
    limits = {name.removeprefix("max_") for name in Settings.model_fields if "max_" in name}
    assert set(AT_AND_ABOVE) == limits - OF_MODELS - OF_QUEUES - OF_CONNECTIONS - OF_LINES


@pytest.mark.parametrize("name", AT_AND_ABOVE)
async def test_limit_lets_through_what_reaches_it_and_refuses_more(
    store: FakeStore, serve: Any, name: str
) -> None:
    """The last that is let in, and the first that is not."""
    limit, at, above = AT_AND_ABOVE[name]
    async with serve(store, **{f"max_{name}": limit}) as client:
        path = PATHS.get(name, "/fill-mask")
        answers = [await client.post(path, json=body) for body in (at, above)]
    expected = 413 if name == "body_bytes" else 422
    assert [answer.status_code for answer in answers] == [200, expected]
    assert str(limit) in answers[1].json()["error"]


@pytest.mark.parametrize(
    "more",
    [
        {"top_k": 4},
        {"overflow": "window", "top_k": 4},
        {"decode": "joint", "top_k": 4},
        {"targets": ["cat", "dog", "is", "the"]},
        {"inputs": {"text": "the", "text_pair": " [MASK]"}, "top_k": 4},
    ],
)
async def test_text_of_every_kind_of_answer_is_limited(
    store: FakeStore, serve: Any, more: dict[str, Any]
) -> None:
    """A short request cannot become an answer that fills the memory."""
    async with serve(store, max_answer_characters=39) as client:
        answer = (await client.post("/fill-mask", json={"inputs": MASK} | more)).json()
    assert "40 characters of filled text and the limit is 39" in answer["error"]


async def test_targets_are_not_limited_by_top_k(store: FakeStore, serve: Any) -> None:
    """With or without a `top_k` of the caller's: it is for requests without targets."""
    body = {"inputs": MASK, "targets": ["cat", "dog", "is"]}
    async with serve(store, max_top_k=1) as client:
        answers = [await client.post("/fill-mask", json=body | k) for k in ({}, {"top_k": 3})]
    assert [len(answer.json()["results"][0]["masks"][0]["predictions"]) for answer in answers] == [
        3,
        3,
    ]
