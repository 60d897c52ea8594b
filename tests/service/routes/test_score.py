"""`POST /score`: what callers may send, and what they get."""

import json
import math
from typing import Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore
from service.routes.score import ScoreResponse


async def ask(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Return the answer to a good request."""
    response = await client.post("/score", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def refuse(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Return the answer to a bad request, whose JSON may hold what httpx would not write."""
    response = await client.post(
        "/score", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert response.status_code == 422, response.text
    answer: dict[str, Any] = response.json()
    return answer


def totals(answer: dict[str, Any]) -> list[float]:
    """Return the totals as powers of a half, which is what the fake engine answers."""
    return [round(-result["total"] / math.log(2), 3) for result in answer["results"]]


async def test_answer_is_that_of_the_documentation(client: httpx.AsyncClient) -> None:
    """Every field of the answer is there and right."""
    answer = await ask(client, inputs="The  cats")
    assert ScoreResponse.model_validate(answer).model_dump() == answer
    assert answer == {
        "preset": "tiny",
        "results": [
            {
                "sequence": "The  cats",
                "rank": 1,
                "total": pytest.approx(-16 * math.log(2)),
                "mean": pytest.approx(-16 / 3 * math.log(2)),
                "pseudo_perplexity": pytest.approx(2 ** (16 / 3)),
                "tokens": [
                    token(3, "the", 0, 3, 4),
                    token(8, "cat", 5, 8, 9),
                    token(2, "##s", 8, 9, 3),
                ],
            }
        ],
    }


def token(token_id: int, token_str: str, start: int, end: int, halves: int) -> dict[str, Any]:
    """Return a token as it is answered."""
    log_prob = pytest.approx(-halves * math.log(2))
    return {
        "token": token_id,
        "token_str": token_str,
        "start": start,
        "end": end,
        "log_prob": log_prob,
    }


async def test_candidates_of_any_length_are_ranked(client: httpx.AsyncClient) -> None:
    """Results are in the order of the candidates."""
    answer = await ask(client, template="the {}.", candidates=["cat", "cats", "paris"])
    assert [r["sequence"] for r in answer["results"]] == ["the cat.", "the cats.", "the paris."]
    assert totals(answer) == [25, 28, 17]
    assert [result["rank"] for result in answer["results"]] == [2, 3, 1]


async def test_null_is_as_good_as_left_out(client: httpx.AsyncClient) -> None:
    """Clients that write every field are understood."""
    answer = await ask(client, inputs=["the"], template=None, candidates=None, preset=None)
    assert answer == await ask(client, inputs="the")


async def test_named_preset_answers(client: httpx.AsyncClient) -> None:
    """A caller chooses the model."""
    assert (await ask(client, inputs="the", preset="other"))["preset"] == "other"


@pytest.mark.parametrize(("method", "masks"), [("pll", 4), ("pll_word_l2r", 5), (None, 5)])
async def test_method_says_what_is_masked(
    client: httpx.AsyncClient, store: FakeStore, method: str | None, masks: int
) -> None:
    """Each of four rows has one mask, and one row has a later piece more."""
    engine = store.engines["tiny"] = SeenMasks()
    await ask(client, inputs="the cats .", **({"method": method} if method else {}))
    assert engine.masks == masks


class SeenMasks(FakeEngine):
    """An engine that counts the masks it sees."""

    masks = 0

    def run(self, batch: Any, k: int) -> Any:
        """Count them, the special token's id is 16."""
        self.masks += int((batch.token_ids == 16).sum())
        return super().run(batch, k)


async def test_all_rows_run_together(client: httpx.AsyncClient, store: FakeStore) -> None:
    """One request is one batch on an idle engine."""
    engine = store.engines["tiny"] = FakeEngine()
    await ask(client, template="the {}.", candidates=["cat", "cats"])
    assert engine.batch_sizes == [7]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": None},
        {"inputs": []},
        {"inputs": [1]},
        {"inputs": "the", "template": "the {}", "candidates": ["cat"]},
        {"inputs": "the", "candidates": ["cat"]},
        {"inputs": "the", "template": "the {}"},
        {"template": "the {}"},
        {"candidates": ["cat"]},
        {"template": "the {}", "candidates": []},
        {"template": "the", "candidates": ["cat"]},
        {"template": "{} {}", "candidates": ["cat"]},
        {"template": "the {}", "candidates": ["\ud800"]},
        {"inputs": "the", "method": "ppl"},
        {"inputs": "the", "preset": ""},
        {"inputs": "the", "top_k": 3},
    ],
)
async def test_other_forms_are_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """Nothing is guessed at."""
    assert (await refuse(client, **body))["code"] == "invalid_request"


async def test_template_without_a_gap_is_told_so(client: httpx.AsyncClient) -> None:
    """The sentence names the field and the two characters."""
    answer = await refuse(client, template="the", candidates=["cat"])
    assert answer["error"] == (
        "The request is not valid at template: Value error, a template has one {}, where its "
        "candidates go; see /docs."
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty_text"), ("the [MASK]", "unexpected_mask"), ("the " * 31, "text_too_long")],
)
async def test_bad_text_is_located(client: httpx.AsyncClient, text: str, code: str) -> None:
    """An error says which of the inputs, or candidates, is at fault."""
    answers = [
        await refuse(client, inputs=["the", text]),
        await refuse(client, template="{}", candidates=["the", text]),
    ]
    assert [(answer["code"], answer["input"]) for answer in answers] == [(code, 1)] * 2


async def test_rows_are_limited_over_all_texts(store: FakeStore, serve: Any) -> None:
    """A request of more tokens than rows are allowed is refused, and nothing runs."""
    engine = store.engines["tiny"] = FakeEngine()
    async with serve(store, max_rows=4) as client:
        await ask(client, inputs=["the cats", "."])
        answer = await refuse(client, inputs=["the cats", "the", "."])
    assert answer["code"] == "invalid_request"
    assert "5 rows and the limit is 4" in answer["error"]
    assert engine.batch_sizes == [4]


async def test_inputs_are_limited(store: FakeStore, serve: Any) -> None:
    """As everywhere; candidates are inputs."""
    async with serve(store, max_inputs=1) as client:
        await ask(client, template="the {}", candidates=["cat"])
        answer = await refuse(client, template="the {}", candidates=["cat", "dog"])
    assert "2 inputs and the limit is 1" in answer["error"]
