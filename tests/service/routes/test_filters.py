"""`POST /fill-mask` with a filter: what is left out, and what is said of it."""

import math

import httpx
import pytest

from native_calls import TEXT, fill, refuse, tokens

ENTRIES = 17
"""How many there are; the entry `i` has a probability of 2**-(i + 1)."""


async def test_filter_of_nothing_tells_the_entropy(client: httpx.AsyncClient) -> None:
    """And the same predictions as without."""
    [mask] = (await fill(client, filter={}))["results"][0]["masks"]
    [plain] = (await fill(client))["results"][0]["masks"]
    assert mask["entropy"] == pytest.approx(
        sum(2**-i * i * math.log(2) for i in range(1, ENTRIES + 1))
    )
    assert mask["removed_probability"] == 0
    assert mask["predictions"] == plain["predictions"]
    assert set(plain) == set(mask) - {"entropy", "removed_probability"}


async def test_as_many_are_answered_as_there_are(client: httpx.AsyncClient) -> None:
    """What is left out makes room for what comes after."""
    answer = await fill(client, top_k=3, filter={"whole_words": True})
    assert tokens(answer) == ["paris", "london", "the"]
    [mask] = answer["results"][0]["masks"]
    # `##s`, and the five special tokens at the end.
    assert mask["removed_probability"] == pytest.approx(2**-3 + sum(2**-i for i in range(13, 18)))


@pytest.mark.parametrize(
    ("options", "answered"),
    [
        ({}, ["paris", "london", "##s"]),
        ({"alphabetic": True, "exclude": ["france"]}, ["paris", "london", "##s"]),
        ({"whole_words": True, "exclude": ["Paris", "the"]}, ["london", "capital", "of"]),
        ({"exclude": ["##s"]}, ["paris", "london", "the"]),
        ({"exclude": ["zebra", "londons", ""]}, ["paris", "london", "##s"]),
        ({"original": "PARIS"}, ["london", "##s", "the"]),
        ({"original": ["Paris"]}, ["london", "##s", "the"]),
        ({"original": "paris", "exclude": ["london"]}, ["##s", "the", "capital"]),
        ({"min_score": 0.2}, ["paris", "london"]),
        ({"min_score": 0.9}, []),
    ],
)
async def test_what_is_left_out(
    client: httpx.AsyncClient, options: dict[str, object], answered: list[str]
) -> None:
    """Each option by itself, and together."""
    assert tokens(await fill(client, top_k=3, filter=options)) == answered


async def test_each_input_has_its_original(client: httpx.AsyncClient) -> None:
    """Of one input it is left out, of the other not."""
    answer = await fill(
        client, inputs=[TEXT, TEXT], top_k=1, filter={"original": ["paris", "london"]}
    )
    assert [tokens(answer, 0), tokens(answer, 1)] == [["london"], ["paris"]]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"filter": {"original": ["paris", "london"]}}, "one for each input"),
        ({"filter": {}, "targets": ["paris"]}, "targets and filter exclude each other"),
        ({"filter": {"original": []}}, "filter"),
        ({"filter": {"original": 1}}, "filter"),
        ({"filter": {"min_score": 1.1}}, "filter"),
        ({"filter": {"min_score": -0.1}}, "filter"),
        ({"filter": {"exclude": "paris"}}, "filter"),
        ({"filter": {"whole_word": True}}, "filter"),
        ({"filter": {"whole_words": 1}}, "filter"),
        ({"filter": []}, "filter: Input should be a valid dictionary"),
        ({"filter": {"exclude": ["a"] * 1001}}, "1001 excluded words and the limit is 1000"),
    ],
)
async def test_filter_of_another_form_is_refused(
    client: httpx.AsyncClient, body: dict[str, object], where: str
) -> None:
    """With a sentence that says where."""
    answer = await refuse(client, **body)
    assert answer["code"] == "invalid_request"
    assert where in answer["error"]


async def test_filter_of_null_is_none(client: httpx.AsyncClient) -> None:
    """As of every optional field."""
    assert await fill(client, filter=None) == await fill(client)
