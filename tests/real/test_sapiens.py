"""Real weights of a RoBERTa: Sapiens, converted and served, answers as its own page says."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from e2e.running_server import RunningServer, start_server
from real.convert_sapiens import convert
from real.wheels import fetch_wheel

pytestmark = pytest.mark.real

SHA256 = "36466bdc8caef2ba148c5051affafdd1c2938d0ab9f35c24f2febfb11a1f96b2"

MASKED = (
    "**QLV*SGVEVKKPGASVKVSCKASGYTFTNYYMYWVRQAPGQGLEWMGGINPSNGGTNFNEKFKNRVTLTTDSSTTTAYMELKSLQFDDTAVYYCARRD"
    "YRFDMGFDYWGQGTTVTVSS"
)
FILLED = f"QVQLVQ{MASKED[6:]}"
PUBLISHED = {
    0: {"A": 0.003272, "C": 0.004147, "D": 0.004011, "E": 0.004590},
    1: {"A": 0.012038, "C": 0.003854, "D": 0.006803, "E": 0.008174},
}
"""The scores of its page, of the residues that are masked there."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose default preset is Sapiens for heavy chains."""
    store = tmp_path_factory.mktemp("store")
    convert(fetch_wheel("sapiens", "1.0.4", SHA256), "vh", store / "sapiens_vh")
    env = {"FILLMASK_MODEL_STORE_DIR": str(store), "FILLMASK_DEFAULT_PRESET": "sapiens_vh"}
    with start_server(env, tmp_path_factory.mktemp("server")) as running:
        yield running


def ask(server: RunningServer, **fields: Any) -> list[list[dict[str, Any]]]:
    """Return the predictions for each mask of the page's example."""
    body = {"inputs": MASKED.replace("*", "[MASK]"), **fields}
    response = httpx.post(f"{server.url}/fill-mask", json=body, timeout=60, trust_env=False)
    [result] = response.raise_for_status().json()["results"]
    return [mask["predictions"] for mask in result["masks"]]


def test_missing_residues_are_filled_as_published(server: RunningServer) -> None:
    """Three at a time, the likeliest of each."""
    best = [predictions[0]["token_str"] for predictions in ask(server, top_k=1)]
    filled = iter(best)
    assert "".join(next(filled) if residue == "*" else residue for residue in MASKED) == FILLED


def test_scores_are_as_published(server: RunningServer) -> None:
    """To the last digit that its page has."""
    masks = ask(server, targets=["A", "C", "D", "E"])
    for index, scores in PUBLISHED.items():
        found = {each["target"]: each["score"] for each in masks[index]}
        assert found == pytest.approx(scores, abs=1e-6)
