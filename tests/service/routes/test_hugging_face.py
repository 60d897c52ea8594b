"""`POST /models/{preset}` and beside it: what Hugging Face's clients send, and what they ask."""

from importlib.metadata import version
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from service.errors.exceptions import ShuttingDownError
from service.errors.table import TABLE

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


@pytest.mark.parametrize(
    "options", [{"wait_for_model": False, "use_cache": False}, {"use_gpu": "x"}, {"nobody": [1]}]
)
async def test_options_of_the_clients_change_nothing(
    client: httpx.AsyncClient, options: object
) -> None:
    """They speak of caches and waiting, which this server decides by itself; any name will do."""
    body = {"inputs": ONE_MASK, "parameters": {"top_k": 2}}
    plain, said = [
        await client.post("/models/tiny", json=each) for each in (body, body | {"options": options})
    ]
    assert said.status_code == 200
    assert said.json() == plain.json()


async def test_parameter_that_the_pipeline_does_not_take_is_named(
    client: httpx.AsyncClient,
) -> None:
    """Transformers refuses it too: who misspells `top_k` does not get five answers instead."""
    body = {"inputs": ONE_MASK, "parameters": {"topk": 1}}
    response = await client.post("/models/tiny", json=body)
    assert "parameters.topk" in response.json()["error"]


@pytest.mark.parametrize("body", [{"inputs": ONE_MASK, "parameters": {"top_k": 2}}])
async def test_every_path_of_the_task_answers_alike(
    client: httpx.AsyncClient, body: object
) -> None:
    """That of a preset, that of Hugging Face's router, and the address alone."""
    paths = ("/models/tiny", "/hf-inference/models/tiny", "/hf-inference/models/tiny/", "/")
    answers = [await client.post(path, json=body) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json() == answers[0].json() for answer in answers)


async def test_address_alone_means_the_default_preset(store: FakeStore, serve: Any) -> None:
    """As the settings have it."""
    async with serve(store, default_preset="other") as client:
        response = await client.post("/", json={"inputs": ONE_MASK})
    assert response.status_code == 200
    assert store.loads == ["other"]


async def test_address_alone_takes_a_key_though_its_page_does_not(
    store: FakeStore, serve: Any
) -> None:
    """Only looking at it is free."""
    async with serve(store, api_keys=("one",)) as client:
        stranger = {"authorization": ""}
        response = await client.post("/", json={"inputs": ONE_MASK}, headers=stranger)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/", "/models/tiny", "/hf-inference/models/tiny"])
async def test_end_of_the_server_is_no_503(store: FakeStore, serve: Any, path: str) -> None:
    """The JavaScript client would send the request again at once, and without end."""
    async with serve(store) as client:
        client._transport.app.state.pipeline.close()
        response = await client.post(path, json={"inputs": ONE_MASK})
    assert (response.status_code, response.json()["code"]) == (502, "shutting_down")


def test_nothing_else_is_a_503() -> None:
    """So no other error can become one for these clients."""
    assert {error for error, (status, _) in TABLE.items() if status == 503} == {ShuttingDownError}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_health_of_the_server_is_its_readiness(
    store: FakeStore, serve: Any, method: str
) -> None:
    """As `health_check` asks where the client knows an address only."""
    async with serve(store) as client:
        assert (await client.request(method, "/health")).status_code == 200
        client._transport.app.state.pipeline.close()
        assert (await client.request(method, "/health")).status_code == 503


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_health_of_a_preset_is_that_it_is_loaded(
    client: httpx.AsyncClient, method: str
) -> None:
    """As `health_check` asks with the address of a preset."""
    before = await client.request(method, "/models/tiny/health")
    await client.post("/models/tiny", json={"inputs": ONE_MASK})
    after = await client.request(method, "/models/tiny/health")
    nobody = await client.request(method, "/models/org/nobody/health")
    assert [each.status_code for each in (before, after, nobody)] == [409, 200, 404]


async def test_info_tells_what_answers(client: httpx.AsyncClient) -> None:
    """As `get_endpoint_info` asks; the precision is known once the preset is loaded."""
    before = (await client.get("/models/tiny/info")).json()
    await client.post("/models/tiny", json={"inputs": ONE_MASK})
    after = (await client.get("/models/tiny/info")).json()
    [ready] = [p for p in (await client.get("/presets")).json()["presets"] if p["name"] == "tiny"]
    assert before["model_dtype"] is None
    assert after == {
        "model_id": "tiny",
        "model_dtype": ready["precision"],
        "model_pipeline_tag": "fill-mask",
        "max_client_batch_size": 256,
        "version": version("fillmask"),
    }
    assert (await client.head("/models/tiny/info")).status_code == 200
    assert (await client.get("/models/nobody/info")).json()["code"] == "preset_not_found"


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
