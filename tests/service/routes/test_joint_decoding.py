"""`POST /fill-mask` with `decode`: masks that are filled together."""

import math
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from native_calls import fill, refuse

TWO = "The Cat [MASK] [MASK]."


def sequences(answer: dict[str, Any], result: int = 0) -> list[str]:
    """Return the filled texts of an input."""
    return [each["sequence"] for each in answer["results"][result]["sequences"]]


async def test_answer_is_that_of_the_documentation(client: httpx.AsyncClient) -> None:
    """Every field of it is there and right."""
    answer = await fill(client, inputs=TWO, decode="joint", top_k=1)
    best = {
        "sequence": "The Cat paris paris.",
        "log_prob": pytest.approx(2 * math.log(0.5)),
        "mean_log_prob": pytest.approx(math.log(0.5)),
        "spans": [
            {
                "start": 8,
                "end": 21,
                "text": "paris paris",
                "masks": [
                    {
                        "token": 0,
                        "token_str": "paris",
                        "marginal": pytest.approx(0.5),
                        "conditional": pytest.approx(0.5),
                        "order": order,
                    }
                    for order in (0, 1)
                ],
            }
        ],
    }
    assert answer == {
        "preset": "tiny",
        "results": [{"sequences": [best], "independent": best, "tokens": 7}],
    }


async def test_sequences_are_the_likeliest_first(client: httpx.AsyncClient) -> None:
    """Five if nothing is said, and as many as the beam is wide if that is less."""
    answer = await fill(client, inputs=TWO, decode="joint")
    assert sequences(answer)[:3] == [
        "The Cat paris paris.",
        "The Cat paris london.",
        "The Cat london paris.",
    ]
    assert len(sequences(answer)) == 5
    narrow = await fill(client, inputs=TWO, decode="joint", beam_width=2)
    assert sequences(narrow) == sequences(answer)[:2]


async def test_more_sequences_take_a_wider_beam(client: httpx.AsyncClient) -> None:
    """As many come back as were asked for."""
    answer = await fill(client, inputs=TWO, decode="joint", top_k=12)
    assert len(set(sequences(answer))) == 12


async def test_pieces_join_the_word_before(client: httpx.AsyncClient) -> None:
    """Of the same run, and of the text."""
    answer = await fill(client, inputs="The Cat [MASK]", decode="joint", top_k=3)
    assert sequences(answer)[2] == "The Cats"
    assert answer["results"][0]["sequences"][2]["spans"][0]["text"] == "##s"


async def test_lengths_are_compared_by_the_mean(client: httpx.AsyncClient) -> None:
    """Each of one to three is tried; here all are as likely a mask, and the shortest is first."""
    answer = await fill(client, inputs=TWO, decode="joint", span={"max": 3}, top_k=4)
    assert sequences(answer)[:3] == [
        "The Cat paris.",
        "The Cat paris paris.",
        "The Cat paris paris paris.",
    ]
    masks = [len(s["spans"][0]["masks"]) for s in answer["results"][0]["sequences"]]
    assert masks[:3] == [1, 2, 3]


async def test_every_input_has_a_result_in_order(client: httpx.AsyncClient) -> None:
    """Whatever each of them takes."""
    answer = await fill(client, inputs=["a [MASK]", TWO, "[MASK] is"], decode="joint", top_k=1)
    assert [sequences(answer, result) for result in range(3)] == [
        ["a paris"],
        ["The Cat paris paris."],
        ["paris is"],
    ]


async def test_long_text_is_seen_through_one_window(client: httpx.AsyncClient) -> None:
    """All of its masks in it, and the answer says which part that is."""
    text = "the " * 40 + TWO
    answer = await fill(client, inputs=text, decode="joint", overflow="window", top_k=1)
    [result] = answer["results"]
    assert sequences(answer) == ["the " * 40 + "The Cat paris paris."]
    seen = text[result["seen"]["start"] : result["seen"]["end"]]
    assert result["truncated"] is True
    assert seen == "the " * 25 + TWO


async def test_text_that_fits_is_answered_alike_with_windows(client: httpx.AsyncClient) -> None:
    """And says that all of it was seen."""
    [plain] = (await fill(client, inputs=TWO, decode="joint"))["results"]
    [seen] = (await fill(client, inputs=TWO, decode="joint", overflow="window"))["results"]
    assert seen == plain | {"truncated": False, "seen": {"start": 0, "end": len(TWO)}}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"decode": "joint", "targets": ["paris"]},
            "decode joint takes neither targets nor a filter, leave them out",
        ),
        (
            {"decode": "joint", "filter": {}},
            "decode joint takes neither targets nor a filter, leave them out",
        ),
        ({"beam_width": 3}, "beam_width and span are for decode joint, send that too"),
        ({"span": {"max": 2}}, "beam_width and span are for decode joint, send that too"),
        (
            {"decode": "joint", "beam_width": 2, "top_k": 3},
            "a beam ends with beam_width sequences, send a top_k that is no larger",
        ),
        ({"decode": "joint", "span": {"min": 3, "max": 2}}, "max has to be at least min"),
        ({"decode": "joint", "beam_width": 33}, "33 paths in a beam and the limit is 32"),
        ({"decode": "joint", "top_k": 33}, "33 paths in a beam and the limit is 32"),
        ({"decode": "joint", "span": {"max": 900}}, "900 masks and the limit is 64"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any], sentence: str
) -> None:
    """In one sentence that says what to do."""
    assert sentence in (await refuse(client, **body))["error"]


async def test_rows_are_refused_before_the_first_one(store: FakeStore, serve: Any) -> None:
    """No engine sees a part of what is too much."""
    async with serve(store, max_rows=10) as client:
        answer = await refuse(client, inputs=TWO, decode="joint", beam_width=7)
        assert (answer["code"], "11 rows" in answer["error"]) == ("invalid_request", True)
        assert not store.engines
        assert len(sequences(await fill(client, inputs=TWO, decode="joint", beam_width=6))) == 5


async def test_default_width_is_within_the_limit(store: FakeStore, serve: Any) -> None:
    """Who allows narrow beams only need not be told so by every caller."""
    async with serve(store, max_beam_width=2) as client:
        assert len(sequences(await fill(client, inputs=TWO, decode="joint"))) == 2
