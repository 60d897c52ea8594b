"""`POST /fill-mask` with pairs of texts."""

from typing import Any

import httpx
import pytest

from fakes import VOCABULARY
from service.routes.fill_mask.answer import FillMaskResponse

PAIR = {"text": "the cat [MASK].", "text_pair": "The [MASK] sat."}


async def post(client: httpx.AsyncClient, status: int = 200, **body: Any) -> dict[str, Any]:
    """Return the answer to a pair, or to whatever else is sent."""
    response = await client.post("/fill-mask", json={"inputs": PAIR} | body)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    if status == 200:
        FillMaskResponse.model_validate(answer, strict=True, extra="forbid")
    return answer


async def test_masks_of_both_texts_are_filled(client: httpx.AsyncClient) -> None:
    """Each says in which text it lies, and that one is filled."""
    answer = await post(client, top_k=1)
    [result] = answer["results"]
    assert result["tokens"] == 11
    assert [
        [mask[key] for key in ("part", "position", "start", "end")] for mask in result["masks"]
    ] == [["text", 3, 8, 14], ["text_pair", 7, 4, 10]]
    assert [mask["predictions"][0]["sequence"] for mask in result["masks"]] == [
        "the cat paris.",
        "The paris sat.",
    ]


async def test_pairs_and_texts_share_a_list(client: httpx.AsyncClient) -> None:
    """Only a pair's masks say in which text they lie."""
    answer = await post(client, inputs=["the [MASK]", PAIR], top_k=1)
    first, second = answer["results"]
    assert "part" not in first["masks"][0]
    assert len(second["masks"]) == 2


async def test_pairs_take_targets_and_filters(client: httpx.AsyncClient) -> None:
    """One list for each mask of both texts together, pieces too."""
    answer = await post(client, targets=[["cats"], ["dog"]])
    masks = answer["results"][0]["masks"]
    assert [mask["predictions"][0]["sequence"] for mask in masks] == [
        "the cat cats.",
        "The dog sat.",
    ]
    assert [mask["part"] for mask in masks] == ["text", "text_pair"]
    filtered = await post(client, filter={"exclude": ["paris"]}, top_k=1)
    [london] = filtered["results"][0]["masks"][1]["predictions"]
    assert london["token"] == VOCABULARY.index("london")


@pytest.mark.parametrize("option", [{"decode": "joint"}, {"overflow": "window"}])
async def test_pairs_are_filled_independently_and_whole(
    client: httpx.AsyncClient, option: dict[str, str]
) -> None:
    """What is made for one text is refused."""
    refused = await post(client, 422, inputs=["the [MASK]", PAIR], **option)
    assert "pairs are filled independently" in refused["error"]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"text": "the [MASK]"}, "invalid_request"),
        ({"text": "the [MASK]", "text_pair": None}, "invalid_request"),
        ({"text": "the [MASK]", "text_pair": ["a"]}, "invalid_request"),
        (PAIR | {"more": 1}, "invalid_request"),
        ({"text": "the", "text_pair": "cat"}, "mask_not_found"),
        ({"text": "the [MASK]", "text_pair": ""}, "empty_text"),
        ([PAIR, {"text": "the [MASK]", "text_pair": "the " * 40}], "text_too_long"),
    ],
    ids=str,
)
async def test_what_is_no_good_pair_is_refused(
    client: httpx.AsyncClient, inputs: Any, code: str
) -> None:
    """In one sentence."""
    refused = await post(client, 422, inputs=inputs)
    assert refused["code"] == code
    assert "\n" not in refused["error"]
