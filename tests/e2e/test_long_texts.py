"""Long texts and joint decoding, on a real server with the embedded preset."""

from typing import Any

import httpx
import pytest

from e2e.running_server import PATIENCE_S, RunningServer

PLACES = (0, 2500, 4999)


def post(server: RunningServer, **body: Any) -> dict[str, Any]:
    """Send a native request, and return the result for its input."""
    response = httpx.post(f"{server.url}/fill-mask", json=body, timeout=PATIENCE_S, trust_env=False)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["results"][0]
    return result


def test_text_of_5000_words_is_filled_at_its_start_middle_and_end(server: RunningServer) -> None:
    """Each mask sees as much as the model takes, around it, and is filled by what is near."""
    words = ["The river runs through the old town and into the sea ."] * 417
    words = " ".join(words).split()[:5000]
    for place in PLACES:
        words[place] = "[MASK]"
    text = " ".join(words)
    result = post(server, inputs=text, overflow="window", top_k=1)
    assert result["truncated"] is True
    assert [text[mask["start"] : mask["end"]] for mask in result["masks"]] == ["[MASK]"] * 3
    for mask, place in zip(result["masks"], PLACES, strict=True):
        seen = text[mask["seen"]["start"] : mask["seen"]["end"]]
        assert len(seen.split()) == 510
        before = len(text[mask["seen"]["start"] : mask["start"]].split())
        assert before == {0: 0, 2500: 255, 4999: 509}[place]
        [alone] = [
            each
            for each in post(server, inputs=seen, top_k=1)["masks"]
            if each["position"] == before + 1
        ]
        [best] = mask["predictions"]
        assert best["token"] == alone["predictions"][0]["token"]
        assert best["score"] == pytest.approx(alone["predictions"][0]["score"], abs=1e-4)
        assert best["sequence"].split()[place] == best["token_str"]


@pytest.mark.parametrize("decode", ["independent", "joint"])
def test_text_within_the_limit_is_answered_alike(server: RunningServer, decode: str) -> None:
    """With `error` and `window`."""
    body = {"inputs": "He is the president of the [MASK] [MASK].", "decode": decode}
    plain, seen = (post(server, **body, overflow=overflow) for overflow in ("error", "window"))
    assert seen.pop("truncated") is False
    for part in seen.get("masks", [seen]):
        assert part.pop("seen") == {"start": 0, "end": len(body["inputs"])}
    assert seen == plain


def test_masks_are_filled_so_that_they_fit(server: RunningServer) -> None:
    """Where the likeliest entry of each by itself would not."""
    result = post(server, inputs="He is the president of the [MASK] [MASK].", decode="joint")
    assert result["sequences"][0]["sequence"] == "He is the president of the united states."
    assert result["independent"]["sequence"] == "He is the president of the united party."
