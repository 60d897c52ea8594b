"""A caller changes the preset alone: `[MASK]` is a mask for a vocabulary that writes `<mask>`."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore, make_model, make_preset
from model_store.engines.fill_mask import FillMaskModel
from text_kinds import make_codec


class RobertaStore(FakeStore):
    """A store whose preset has a byte-level vocabulary."""

    def load(self, name: str, *_: Any) -> FillMaskModel:
        """Return a model that answers with the first entries."""
        self.find(name)
        tokenizer = make_codec("roberta")._tokenizer  # read from files, once
        facts = replace(make_model().facts, vocabulary_size=640)
        return FillMaskModel(FakeEngine(), tokenizer, facts)


@pytest.fixture
def store() -> FakeStore:
    """Return the store of the server."""
    return RobertaStore([make_preset("tiny")])


async def test_natively_both_spellings_are_a_mask(client: httpx.AsyncClient) -> None:
    """With offsets into what was sent."""
    sequences = set()
    for mask in ("[MASK]", "<mask>"):
        body = {"inputs": f"I drink {mask}.", "top_k": 1}
        answer = await client.post("/fill-mask", json=body)
        [result] = answer.json()["results"]
        [found] = result["masks"]
        assert (found["start"], found["end"]) == (8, 14)
        sequences |= {prediction["sequence"] for prediction in found["predictions"]}
    assert len(sequences) == 1


async def test_hugging_faces_route_knows_the_presets_own_mask(client: httpx.AsyncClient) -> None:
    """As Transformers' pipeline does, which looks targets up as they are spelled."""
    parameters = {"targets": [" water"]}
    ours = {"inputs": "I drink <mask>.", "parameters": parameters}
    answer = await client.post("/models/tiny", json=ours)
    [found] = answer.json()
    assert (found["token_str"], found["sequence"]) == (" water", "I drink water.")
    answer = await client.post("/models/tiny", json={"inputs": "I drink [MASK]."})
    assert answer.json()["code"] == "mask_not_found"
    assert "<mask>" in answer.json()["error"]
