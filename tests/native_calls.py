"""Calls of the native interface, and what is in their answers."""

from typing import Any

import httpx

TEXT = "The capital of France is [MASK]."


async def fill(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Return the answer to a good request."""
    response = await client.post("/fill-mask", json={"inputs": TEXT} | body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def refuse(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Return the answer to a bad request."""
    response = await client.post("/fill-mask", json={"inputs": TEXT} | body)
    assert response.status_code == 422, response.text
    answer: dict[str, Any] = response.json()
    return answer


def predictions(answer: dict[str, Any], result: int = 0, mask: int = 0) -> list[dict[str, Any]]:
    """Return the candidates for one mask."""
    found: list[dict[str, Any]] = answer["results"][result]["masks"][mask]["predictions"]
    return found


def tokens(answer: dict[str, Any], result: int = 0, mask: int = 0) -> list[str]:
    """Return the entries that fill one mask."""
    return [prediction["token_str"] for prediction in predictions(answer, result, mask)]
