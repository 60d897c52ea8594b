"""Good requests take a short way to their answer; nobody who asks can tell."""

import json
from typing import Any, NoReturn

import httpx
import pytest

from service.routes.fill_mask.answer import FillMaskResponse

TEXT = "The capital of France is [MASK]."

SHORT = "application/json"
LONG = "application/json; charset=utf-8"
"""FastAPI reads it like the other one, and the short way leaves it to FastAPI."""

BODIES = (
    json.dumps({"inputs": TEXT}),
    json.dumps({"inputs": [TEXT, "the [MASK] is [MASK]"]}),
    json.dumps({"inputs": TEXT, "inputs ": 1}),
    json.dumps({"inputs": "no mask"}),
    json.dumps({"inputs": []}),
    json.dumps({"inputs": 1}),
    json.dumps({"inputs": TEXT, "top_k": 2.0}),
    json.dumps({"inputs": TEXT, "top_k": "2"}),
    json.dumps({"inputs": TEXT, "top_k": 10**30}),
    json.dumps({"inputs": "[MASK] \ud800"}),
    json.dumps([TEXT]),
    f'{{"inputs": "one", "inputs": "{TEXT}"}}',
    '{"inputs": "[MASK]", "top_k": NaN}',
    '{"inputs": ',
    "",
    "null",
    "[" * 100_000,
    "\ufeff" + json.dumps({"inputs": TEXT}),
    json.dumps({"inputs": TEXT}).encode("utf-16"),
    b'{"inputs": "[MASK] \xff"}',
)


def tell(response: httpx.Response) -> tuple[int, Any]:
    """Return what a caller sees."""
    return response.status_code, response.json()


@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_both_ways_end_in_the_same_answer(
    client: httpx.AsyncClient, path: str, body: str | bytes
) -> None:
    """Good or bad: which way a body took is not to be seen."""
    short, long = [
        await client.post(path, content=body, headers={"content-type": content_type})
        for content_type in (SHORT, LONG)
    ]
    assert tell(short) == tell(long)


@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])
async def test_good_request_is_spared_the_work_of_fastapi(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Its dependencies are not solved; those of the other way are."""

    def fail(**_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr("fastapi.routing.solve_dependencies", fail)
    good = await client.post(path, json={"inputs": TEXT})
    other = await client.post(
        path, content=json.dumps({"inputs": TEXT}), headers={"content-type": LONG}
    )
    assert (good.status_code, other.status_code) == (200, 500)


@pytest.mark.parametrize("timeout_s", ["0", "soon", "nan"])
async def test_bad_timeout_is_refused_beside_a_good_body(
    client: httpx.AsyncClient, timeout_s: str
) -> None:
    """A body alone does not make a request good."""
    headers = {"x-request-timeout-s": timeout_s}
    response = await client.post("/fill-mask", json={"inputs": TEXT}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"targets": ["paris", "londons", "zebra"]},
        {"filter": {}},
        {"overflow": "window"},
        {"overflow": "window", "filter": {}},
        {"overflow": "window", "targets": ["paris", "londons", "zebra"]},
        {"decode": "joint"},
        {"decode": "joint", "overflow": "window", "span": {"max": 2}},
    ],
)
async def test_answer_has_the_fields_of_its_schema(
    client: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    """What is written without its model is what the model describes, no more and no less."""
    body = {"inputs": [TEXT, "the [MASK] is [MASK]"]} | more
    response = await client.post("/fill-mask", json=body)
    answer = FillMaskResponse.model_validate_json(response.content, strict=True)
    assert answer.model_dump(exclude_unset=True) == response.json()


@pytest.mark.parametrize("top_k", [1, 17])
async def test_long_answers_are_those_of_short_ones(client: httpx.AsyncClient, top_k: int) -> None:
    """Hugging Face's answers are the same, written on the event loop or in a thread."""
    text = "the [MASK] " + "is " * 20
    bodies = [{"inputs": inputs, "parameters": {"top_k": top_k}} for inputs in (text, [text] * 5)]
    alone, several = [(await client.post("/models/tiny", json=body)).json() for body in bodies]
    assert several == [alone] * 5
