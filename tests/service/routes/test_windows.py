"""`POST /fill-mask` with `overflow`: texts that are longer than the model takes."""

from typing import Any

import httpx
import pytest

from native_calls import TEXT, fill, refuse

LONG = " ".join(["[MASK] cat", *["the dog"] * 30, "[MASK] [MASK]", *["the cat"] * 30, "sat [MASK]"])


async def test_long_text_is_answered(client: httpx.AsyncClient) -> None:
    """Each mask says which part was seen for it, and the places are those of the whole text."""
    [result] = (await fill(client, inputs=LONG, overflow="window", top_k=1))["results"]
    assert (result["truncated"], result["tokens"]) == (True, 128)
    masks = result["masks"]
    assert [LONG[mask["start"] : mask["end"]] for mask in masks] == ["[MASK]"] * 4
    assert [mask["position"] for mask in masks] == [1, 63, 64, 126]
    seen = [LONG[mask["seen"]["start"] : mask["seen"]["end"]] for mask in masks]
    assert seen[0] == LONG[: len(seen[0])]
    assert seen[1] == seen[2] == " ".join(["the dog"] * 7 + ["[MASK] [MASK]"] + ["the cat"] * 7)
    assert LONG.endswith(seen[3])
    best = masks[3]["predictions"][0]["sequence"]
    assert best == LONG.removesuffix("[MASK]") + "paris"


@pytest.mark.parametrize(
    "more",
    [{}, {"filter": {"whole_words": True}}, {"top_k": 2}, {"targets": ["paris", "cats", "zebra"]}],
)
async def test_text_within_the_limit_is_answered_alike(
    client: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    """With `error` and `window`; the latter says that all of it was seen."""
    [plain] = (await fill(client, overflow="error", **more))["results"]
    [seen] = (await fill(client, overflow="window", **more))["results"]
    whole = {"start": 0, "end": len(TEXT)}
    masks = [mask | {"seen": whole} for mask in plain["masks"]]
    assert seen == plain | {"masks": masks, "truncated": False}


async def test_filter_holds_in_every_window(client: httpx.AsyncClient) -> None:
    """Of each input its own."""
    answer = await fill(
        client,
        inputs=[LONG, TEXT],
        overflow="window",
        top_k=1,
        filter={"original": ["paris", "london"]},
    )
    words = [
        [mask["predictions"][0]["token_str"] for mask in result["masks"]]
        for result in answer["results"]
    ]
    assert words == [["london"] * 4, ["paris"]]


@pytest.mark.parametrize("more", [{}, {"overflow": "error"}])
async def test_long_text_is_refused_unless_windows_are_asked_for(
    client: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    """Nothing is cut that nobody knows of."""
    assert (await refuse(client, inputs=LONG, **more))["code"] == "text_too_long"


async def test_targets_are_scored_in_windows(client: httpx.AsyncClient) -> None:
    """Each mask says which part was seen for it; longer words leave room for less."""
    answer = await fill(client, inputs=LONG, overflow="window", targets=["cat", "cat sat"])
    [result] = answer["results"]
    assert (result["truncated"], result["tokens"]) == (True, 128)
    for mask in result["masks"]:
        assert [each["match"] for each in mask["predictions"]] == ["exact", "pieces"]
        assert len(LONG[mask["seen"]["start"] : mask["seen"]["end"]].split()) == 29
