"""`POST /tokenize`."""

from typing import Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore
from service.routes.tokenize import SimpleToken

CLS = {"id": 14, "text": "[CLS]", "special": True, "start": None, "stop": None}
THE = {"id": 3, "text": "The", "special": False, "start": 0, "stop": 3}
SEP = {"id": 15, "text": "[SEP]", "special": True, "start": None, "stop": None}


async def tokenize(client: httpx.AsyncClient, inputs: Any, **fields: Any) -> httpx.Response:
    """Ask for tokens."""
    return await client.post("/tokenize", json={"inputs": inputs} | fields)


async def test_answer_is_one_list_an_input(client: httpx.AsyncClient) -> None:
    """One text is a list of one."""
    assert (await tokenize(client, "The")).json() == [[CLS, THE, SEP]]
    assert (await tokenize(client, ["The", ""])).json() == [[CLS, THE, SEP], [CLS, SEP]]


async def test_special_tokens_may_be_left_out(client: httpx.AsyncClient) -> None:
    """As text-embeddings-inference has it."""
    assert (await tokenize(client, "The", add_special_tokens=False)).json() == [[THE]]


async def test_answer_is_what_its_schema_says(client: httpx.AsyncClient) -> None:
    """The route does not look at every number again; this does."""
    for token in (await tokenize(client, "The cats [MASK]")).json()[0]:
        assert SimpleToken.model_validate(token, strict=True).model_dump() == token


async def test_nothing_is_asked_of_the_engine(client: httpx.AsyncClient, store: FakeStore) -> None:
    """The model is loaded for its tokenizer; it scores nothing."""
    engine = store.engines["other"] = FakeEngine()
    assert (await tokenize(client, "The", preset="other")).is_success
    assert store.loads == ["other"]
    assert engine.batch_sizes == []


async def test_preset_that_is_not_there_is_refused(client: httpx.AsyncClient) -> None:
    """As on every route."""
    response = await tokenize(client, "The", preset="nobody")
    assert (response.status_code, response.json()["code"]) == (404, "preset_not_found")


async def test_text_longer_than_the_model_takes_is_listed(client: httpx.AsyncClient) -> None:
    """Whoever was refused with `text_too_long` wants to see it."""
    assert len((await tokenize(client, "the " * 100)).json()[0]) == 102


@pytest.mark.parametrize(
    ("inputs", "code", "index"),
    [
        (["the"] * 3, "invalid_request", None),
        (["the", "x" * 31], "text_too_long", 1),
        (["the " * 6], "invalid_request", None),
        ([], "invalid_request", None),
    ],
    ids=["inputs", "characters", "tokens", "none"],
)
async def test_too_much_is_refused(
    store: FakeStore, serve: Any, inputs: list[str], code: str, index: int | None
) -> None:
    """Texts, characters and tokens have limits."""
    limits = {"max_inputs": 2, "max_characters": 30, "max_listed_tokens": 7}
    async with serve(store, **limits) as client:
        response = await tokenize(client, inputs)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json().get("input") == index


async def test_long_answer_is_the_same(client: httpx.AsyncClient) -> None:
    """One that is written in a thread."""
    (tokens,) = (await tokenize(client, "the " * 5000)).json()
    assert len(tokens) == 5002
    assert tokens[-2] == {"id": 3, "text": "the", "special": False, "start": 19996, "stop": 19999}


async def test_times_are_told(client: httpx.AsyncClient) -> None:
    """As for every task."""
    assert float((await tokenize(client, "The")).headers["x-inference-time"]) == 0
