"""`POST /fill-mask` with targets: whose they are, and what is said of them."""

import math
from typing import Any

import httpx
import pytest

from native_calls import TEXT, fill, predictions, refuse, tokens


async def test_targets_are_scored_over_the_whole_vocabulary(client: httpx.AsyncClient) -> None:
    """The likeliest target comes first, and scores are not renormalised."""
    answer = await fill(client, targets=["london", "paris"])
    scores = {p["token_str"]: p["score"] for p in predictions(answer)}
    assert scores == {"paris": pytest.approx(0.5), "london": pytest.approx(0.25)}


async def test_all_targets_are_returned_by_default(client: httpx.AsyncClient) -> None:
    """Whoever names seven wants seven."""
    targets = ["paris", "london", "cat", "dog", "sat", "the", "is"]
    assert sorted(tokens(await fill(client, targets=targets))) == sorted(targets)


async def test_targets_have_a_limit_of_their_own(client: httpx.AsyncClient) -> None:
    """More targets than the most predictions are scored all the same."""
    wanted = ["paris", "london"] * 60
    assert len(predictions(await fill(client, targets=wanted))) == 2


async def test_top_k_cuts_targets(client: httpx.AsyncClient) -> None:
    """The likeliest targets are kept."""
    answer = await fill(client, targets=["dog", "london", "paris"], top_k=2)
    assert tokens(answer) == ["paris", "london"]


async def test_one_list_of_targets_is_for_all_inputs(client: httpx.AsyncClient) -> None:
    """Every input is scored for the same targets."""
    answer = await fill(client, inputs=["a [MASK]", "the [MASK]"], targets=["dog", "cat"])
    assert [tokens(answer, 0), tokens(answer, 1)] == [["cat", "dog"]] * 2


async def test_list_of_lists_has_the_targets_of_each_input(client: httpx.AsyncClient) -> None:
    """Every input is scored for its own targets."""
    answer = await fill(client, inputs=["a [MASK]", "the [MASK]"], targets=[["dog"], ["cat"]])
    assert [tokens(answer, 0), tokens(answer, 1)] == [["dog"], ["cat"]]


@pytest.mark.parametrize("targets", [[["dog"]], [["dog"], ["cat"], ["sat"]]])
async def test_wrong_number_of_target_lists_is_refused(
    client: httpx.AsyncClient, targets: list[list[str]]
) -> None:
    """Lists that fit no inputs are never guessed at."""
    answer = await refuse(client, inputs=["a [MASK]", "the [MASK]"], targets=targets)
    assert answer["code"] == "invalid_request"


@pytest.mark.parametrize(
    "targets",
    [
        *([], [[]], ["dog", []], [["dog"], "cat"], "dog", [1], {}),
        *([[[]]], [[["dog"], []]], [[["dog"], "cat"]], [[[["dog"]]]], [["dog", ["cat"]]]),
    ],
)
async def test_targets_of_another_form_are_refused(
    client: httpx.AsyncClient, targets: object
) -> None:
    """Lists of words, of such lists, or of lists of such lists; none is empty or mixed."""
    assert (await refuse(client, targets=targets))["code"] == "invalid_request"


async def test_target_named_twice_is_answered_once(client: httpx.AsyncClient) -> None:
    """And each of its spellings once, for whoever looks for the one that was sent."""
    answer = await fill(client, targets=["dog", "dog", "Dog"])
    assert [prediction["target"] for prediction in predictions(answer)] == ["dog", "Dog"]


@pytest.mark.parametrize("target", ["zebra", "", "two words", "[MASK]x", "\x00"])
async def test_target_outside_the_vocabulary_is_reported(
    client: httpx.AsyncClient, target: str
) -> None:
    """A target that cannot be written is never left out, nor another one scored in its place."""
    answer = await fill(client, targets=[target, "dog"])
    assert [prediction["match"] for prediction in predictions(answer)] == ["exact", "unknown"]
    assert predictions(answer)[1] == {
        "target": target,
        "match": "unknown",
        **dict.fromkeys(("score", "log_prob", "rank", "token", "token_str", "sequence", "pieces")),
    }


async def test_entry_says_where_it_stands(client: httpx.AsyncClient) -> None:
    """Every field of the answer is there and right."""
    answer = await fill(client, targets=["Cat"])
    assert predictions(answer) == [
        {
            "target": "Cat",
            "match": "exact",
            "score": pytest.approx(2**-9),
            "log_prob": pytest.approx(-9 * math.log(2)),
            "rank": 9,
            "token": 8,
            "token_str": "cat",
            "sequence": "The capital of France is cat.",
            "pieces": None,
        }
    ]


async def test_word_of_several_pieces_is_scored_as_a_whole(client: httpx.AsyncClient) -> None:
    """Every field of the answer is there and right."""
    answer = await fill(client, targets=["Londons"])
    assert predictions(answer) == [
        {
            "target": "Londons",
            "match": "pieces",
            "score": pytest.approx(2**-5),
            "log_prob": pytest.approx(-5 * math.log(2)),
            "rank": 5,
            "token": None,
            "token_str": "Londons",
            "sequence": "The capital of France is Londons.",
            "pieces": [
                {"token": 1, "token_str": "london", "log_prob": pytest.approx(-2 * math.log(2))},
                {"token": 2, "token_str": "##s", "log_prob": pytest.approx(-3 * math.log(2))},
            ],
        }
    ]


TWO_MASKS = "the [MASK] is [MASK]"


async def list_by_mask(client: httpx.AsyncClient, **body: Any) -> list[list[list[str]]]:
    """Return the targets that were answered, of each mask of each input."""
    answer = await fill(client, **body)
    return [
        [sorted(prediction["target"] for prediction in mask["predictions"]) for mask in r["masks"]]
        for r in answer["results"]
    ]


@pytest.mark.parametrize(
    ("inputs", "targets", "answered"),
    [
        # One list: for all masks of all inputs.
        (TWO_MASKS, ["cat", "dog"], [[["cat", "dog"], ["cat", "dog"]]]),
        ([TWO_MASKS] * 2, ["cat"], [[["cat"], ["cat"]]] * 2),
        # A list of lists of several inputs: one an input, also where there are as many masks.
        ([TWO_MASKS] * 2, [["cat"], ["dog"]], [[["cat"], ["cat"]], [["dog"], ["dog"]]]),
        ([TWO_MASKS], [["cat", "dog"]], [[["cat", "dog"], ["cat", "dog"]]]),
        # A list of lists of one text: one a mask, but a lone one is for all masks.
        (TWO_MASKS, [["cat"], ["dog", "sat"]], [[["cat"], ["dog", "sat"]]]),
        (TWO_MASKS, [["cat"]], [[["cat"], ["cat"]]]),
        ("the [MASK]", [["cat"]], [[["cat"]]]),
        # A list a mask of each input.
        (TWO_MASKS, [[["cat"], ["dog"]]], [[["cat"], ["dog"]]]),
        ([TWO_MASKS], [[["cat"], ["dog"]]], [[["cat"], ["dog"]]]),
        ([TWO_MASKS, "[MASK]"], [[["cat"], ["dog"]], ["sat"]], [[["cat"], ["dog"]], [["sat"]]]),
        (["[MASK]", "[MASK]"], [[["cat"]], [["dog"]]], [[["cat"]], [["dog"]]]),
    ],
)
async def test_how_deep_lists_nest_says_what_they_are_for(
    client: httpx.AsyncClient, inputs: object, targets: object, answered: object
) -> None:
    """Each form means one thing."""
    assert await list_by_mask(client, inputs=inputs, targets=targets) == answered


@pytest.mark.parametrize(
    ("inputs", "targets", "sentence"),
    [
        (TWO_MASKS, [["cat"], ["dog"], ["sat"]], "3 lists of targets for 2 masks"),
        ([TWO_MASKS], [["cat"], ["dog"]], "2 lists of targets for 1 input"),
        (TWO_MASKS, [[["cat"]]], "1 list of targets for 2 masks"),
        (TWO_MASKS, [["cat"], [["dog"], ["sat"]]], "2 lists of targets for 1 input"),
        ([TWO_MASKS] * 2, [["cat"]], "1 list of targets for 2 inputs"),
    ],
)
async def test_lists_that_fit_nothing_are_refused(
    client: httpx.AsyncClient, inputs: object, targets: object, sentence: str
) -> None:
    """With what they were held against."""
    answer = await refuse(client, inputs=inputs, targets=targets)
    assert answer["code"] == "invalid_request"
    assert sentence in answer["error"]


async def test_word_that_makes_its_text_too_long_is_located(client: httpx.AsyncClient) -> None:
    """The text would fit without it."""
    fitting = "the " * 29 + "[MASK]"
    answer = await refuse(client, inputs=[TEXT, fitting], targets=["cat", "cats"])
    assert (answer["code"], answer["input"]) == ("text_too_long", 1)
    assert "'cats'" in answer["error"]


async def test_targets_are_a_task_of_their_own(client: httpx.AsyncClient) -> None:
    """Their rows are counted apart: two for a word of two pieces, and one for its rank."""
    await fill(client, targets=["cats"])
    metrics = (await client.get("/metrics")).text
    assert 'fill_mask_task_rows_sum{task="targets"} 3.0' in metrics
