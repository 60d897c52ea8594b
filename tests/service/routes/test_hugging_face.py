"""`POST /models/{preset}`: the fill-mask task as Hugging Face's clients speak it."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore

ONE_MASK = "The capital of France is [MASK]."
TWO_MASKS = "[MASK] is [MASK]"


async def fill(client: httpx.AsyncClient, inputs: object, **parameters: Any) -> Any:
    """Return the answer to a good request."""
    response = await client.post("/models/tiny", json={"inputs": inputs, "parameters": parameters})
    assert response.status_code == 200, response.text
    return response.json()


def nesting(answer: object) -> object:
    """Return an answer with every list of predictions replaced by its length."""
    assert isinstance(answer, list)
    if isinstance(answer[0], dict):
        return len(answer)
    return [nesting(part) for part in answer]


async def test_prediction_is_that_of_the_pipeline(client: httpx.AsyncClient) -> None:
    """Every field is there, and `sequence` is decoded as Transformers decodes it."""
    assert await fill(client, ONE_MASK, top_k=1) == [
        {
            "score": pytest.approx(0.5),
            "token": 0,
            "token_str": "paris",
            "sequence": "the capital of france is paris.",
        }
    ]


async def test_a_slash_at_the_end_changes_nothing(client: httpx.AsyncClient) -> None:
    """Some clients end every address so; a second one is part of a name that nobody has."""
    body = {"inputs": ONE_MASK}
    plain, slashed, twice = [
        await client.post(f"/models/tiny{end}", json=body) for end in ("", "/", "//")
    ]
    assert slashed.status_code == 200
    assert slashed.json() == plain.json()
    assert twice.status_code == 404


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (ONE_MASK, 5),
        (TWO_MASKS, [5, 5]),
        ([ONE_MASK, ONE_MASK], [5, 5]),
        ([TWO_MASKS, TWO_MASKS], [[5, 5], [5, 5]]),
        ([ONE_MASK, TWO_MASKS], [5, [5, 5]]),
        ([ONE_MASK], 5),
        ([TWO_MASKS], [5, 5]),
    ],
)
async def test_answer_nests_as_the_pipeline_nests_it(
    client: httpx.AsyncClient, inputs: object, expected: object
) -> None:
    """A level for several masks, a level for several texts, and none for one of either."""
    assert nesting(await fill(client, inputs)) == expected


async def test_several_masks_keep_the_special_tokens(client: httpx.AsyncClient) -> None:
    """The other masks of a text must be seen in its sequences."""
    answer = await fill(client, TWO_MASKS, top_k=1)
    assert [mask[0]["sequence"] for mask in answer] == [
        "[CLS] paris is [MASK] [SEP]",
        "[CLS] [MASK] is paris [SEP]",
    ]


async def test_piece_is_joined_and_decoded(client: httpx.AsyncClient) -> None:
    """A piece alone stays as it is; in its sequence it joins the word before."""
    answer = await fill(client, "the cat [MASK] sat", targets="##s")
    assert (answer[0]["token_str"], answer[0]["sequence"]) == ("##s", "the cats sat")


async def test_top_k_counts_candidates(client: httpx.AsyncClient) -> None:
    """`parameters.top_k` is heard."""
    assert len(await fill(client, ONE_MASK, top_k=2)) == 2


@pytest.mark.parametrize("targets", ["dog", ["dog"]])
async def test_one_target_may_stand_alone(client: httpx.AsyncClient, targets: object) -> None:
    """A text is as good as a list of it."""
    answer = await fill(client, ONE_MASK, targets=targets)
    assert [prediction["token_str"] for prediction in answer] == ["dog"]


@pytest.mark.parametrize("target", ["cats", "zebra", ""])
async def test_target_that_is_no_single_entry_is_refused(
    client: httpx.AsyncClient, target: str
) -> None:
    """This answer has no form for a word of several pieces, and a piece is not the word."""
    response = await client.post(
        "/models/tiny", json={"inputs": ONE_MASK, "parameters": {"targets": ["dog", target]}}
    )
    assert (response.status_code, response.json()["code"]) == (422, "unknown_target")


async def test_targets_are_for_every_input(client: httpx.AsyncClient) -> None:
    """One list serves all texts."""
    answer = await fill(client, [ONE_MASK, ONE_MASK], targets=["dog", "cat"])
    assert [[p["token_str"] for p in part] for part in answer] == [["cat", "dog"]] * 2


async def test_parameters_may_be_left_out(client: httpx.AsyncClient) -> None:
    """A body of `inputs` alone is a request."""
    response = await client.post("/models/tiny", json={"inputs": ONE_MASK})
    assert len(response.json()) == 5


@pytest.mark.parametrize("parameters", [None, {}, {"top_k": None, "targets": None}])
async def test_parameters_may_be_null(client: httpx.AsyncClient, parameters: object) -> None:
    """Clients that write every field are understood."""
    body = {"inputs": ONE_MASK, "parameters": parameters, "options": None}
    response = await client.post("/models/tiny", json=body)
    assert len(response.json()) == 5


async def test_options_of_the_clients_change_nothing(client: httpx.AsyncClient) -> None:
    """They speak of caches and waiting, which this server decides by itself."""
    body = {"inputs": ONE_MASK, "options": {"wait_for_model": True, "use_cache": False}}
    response = await client.post("/models/tiny", json=body)
    assert response.status_code == 200


async def test_preset_is_that_of_the_path(client: httpx.AsyncClient, store: FakeStore) -> None:
    """The path names the model, whatever the default is."""
    await client.post("/models/other", json={"inputs": ONE_MASK})
    assert store.loads == ["other"]


@pytest.mark.parametrize("path", ["nobody", "org/name", "..%2Ftiny", "%00", "%ff", "%ed%a0%80"])
async def test_unknown_preset_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """Whatever stands in the path is only ever looked up."""
    response = await client.post(f"/models/{path}", json={"inputs": ONE_MASK})
    assert (response.status_code, response.json()["code"]) == (404, "preset_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": []},
        {"inputs": None},
        {"inputs": {"text": ONE_MASK}},
        {"inputs": ONE_MASK, "parameters": {"top_k": 0}},
        {"inputs": ONE_MASK, "parameters": {"top_k": "5"}},
        {"inputs": ONE_MASK, "parameters": {"top_k": True}},
        {"inputs": ONE_MASK, "parameters": {"top_k": 10**9}},
        {"inputs": ONE_MASK, "parameters": {"targets": []}},
        {"inputs": ONE_MASK, "parameters": {"topk": 1}},
        {"inputs": ONE_MASK, "top_k": 1},
    ],
)
async def test_body_of_another_form_is_refused(client: httpx.AsyncClient, body: object) -> None:
    """What has no meaning here is told, in the one form that these clients show."""
    response = await client.post("/models/tiny", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_bad_input_is_located(client: httpx.AsyncClient) -> None:
    """An error says which of the inputs is at fault."""
    response = await client.post("/models/tiny", json={"inputs": [ONE_MASK, "no mask"]})
    assert (response.json()["code"], response.json()["input"]) == ("mask_not_found", 1)
