"""Time on the wire: how long a caller waits, and where the time went."""

import re

import httpx
import pytest

from fakes import FakeEngine, FakeStore, Gate

TEXT = "the [MASK]"
ROUTES = pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])


@ROUTES
async def test_answer_says_where_its_time_went(client: httpx.AsyncClient, path: str) -> None:
    """In milliseconds, for browsers and for programs."""
    response = await client.post(path, json={"inputs": TEXT})
    stages = ("tokenization", "queue", "inference")
    times = [response.headers[f"x-{stage}-time"] for stage in stages]
    assert all(re.fullmatch(r"\d+\.\d{3}", time) for time in times)
    expected = ", ".join(f"{s};dur={t}" for s, t in zip(stages, times, strict=True))
    assert response.headers["server-timing"] == expected


@ROUTES
async def test_caller_who_waits_for_less_is_answered_earlier(
    client: httpx.AsyncClient, store: FakeStore, path: str
) -> None:
    """With an error that names the time."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        headers = {"x-request-timeout-s": "0.05"}
        response = await client.post(path, json={"inputs": TEXT}, headers=headers)
        gate.open()
    assert (response.status_code, response.json()["code"]) == (408, "caller_timeout")
    assert "0.05 seconds" in response.json()["error"]


@ROUTES
@pytest.mark.parametrize("seconds", ["0", "5e-324", "-1", "nan", "inf", "soon", ""])
async def test_time_that_is_none_is_refused(
    client: httpx.AsyncClient, path: str, seconds: str
) -> None:
    """Rather than taken for something that the caller did not mean."""
    headers = {"x-request-timeout-s": seconds}
    response = await client.post(path, json={"inputs": TEXT}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert "x-request-timeout-s" in response.json()["error"]
