"""`/v1/models`: what KServe's clients send, and what they get."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore, Gate

ONE_MASK = "The capital of France is [MASK]."
TWO_MASKS = "[MASK] is [MASK]"


async def predict(client: httpx.AsyncClient, *instances: object, **parameters: Any) -> Any:
    """Return the predictions for good instances."""
    body = {"instances": instances} | ({"parameters": parameters} if parameters else {})
    response = await client.post("/v1/models/tiny:predict", json=body)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert list(answer) == ["predictions"]
    return answer["predictions"]


async def test_prediction_is_that_of_kserves_runtime(client: httpx.AsyncClient) -> None:
    """The likeliest entries of a text's masks, decoded together, and nothing around them."""
    assert await predict(client, ONE_MASK, TWO_MASKS) == ["paris", "paris paris"]


async def test_instance_may_be_an_object(client: httpx.AsyncClient) -> None:
    """Its text counts, as that of a string."""
    assert await predict(client, {"text": ONE_MASK}, ONE_MASK) == ["paris", "paris"]


async def test_parameters_ask_for_candidates(client: httpx.AsyncClient) -> None:
    """A list a text, of a list a mask, whatever their number."""
    one, two = await predict(client, ONE_MASK, TWO_MASKS, top_k=1)
    assert one == [
        [
            {
                "score": pytest.approx(0.5),
                "token": 0,
                "token_str": "paris",
                "sequence": "The capital of France is paris.",
            }
        ]
    ]
    assert [mask[0]["sequence"] for mask in two] == ["paris is [MASK]", "[MASK] is paris"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"targets": ["dog", "cat"]}, ["cat", "dog"]),
        ({"targets": ["dog", "cat"], "top_k": 1}, ["cat"]),
        ({"targets": "dog"}, ["dog"]),
        ({"targets": ["cat"] * 9}, ["cat"]),
        ({"top_k": 7}, ["paris", "london", "##s", "the", "capital", "of", "france"]),
        ({"targets": ["[PAD]", "[UNK]", "[CLS]", ".", "cat", "dog"]}, None),
    ],
)
async def test_targets_and_top_k_are_the_callers(
    client: httpx.AsyncClient, parameters: dict[str, Any], expected: list[str] | None
) -> None:
    """One target may be alone, and all are answered unless fewer are asked for."""
    [[mask]] = await predict(client, ONE_MASK, **parameters)
    words = [candidate["token_str"] for candidate in mask]
    assert words == expected if expected else len(words) == 6


async def test_parameters_without_a_wish_change_nothing(client: httpx.AsyncClient) -> None:
    """An empty object is as good as none."""
    body = {"instances": [ONE_MASK], "parameters": {}}
    response = await client.post("/v1/models/tiny:predict", json=body)
    assert response.json() == {"predictions": ["paris"]}


async def test_model_is_that_of_the_path(client: httpx.AsyncClient, store: FakeStore) -> None:
    """Never the default one."""
    await client.post("/v1/models/other:predict", json={"instances": [ONE_MASK]})
    assert store.loads == ["other"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"instances": []}, "instances"),
        ({"instances": [1]}, "instances"),
        ({"instances": [{"words": ONE_MASK}]}, "instances"),
        ({"inputs": [ONE_MASK]}, "instances"),
        ({"instances": [ONE_MASK], "parameters": {"topk": 1}}, "parameters"),
        ({"instances": [ONE_MASK], "signature_name": "x"}, "signature_name"),
    ],
)
async def test_bad_bodies_are_refused_and_counted(
    client: httpx.AsyncClient, body: dict[str, Any], where: str
) -> None:
    """By the field at fault."""
    response = await client.post("/v1/models/tiny:predict", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert f"at {where}" in response.json()["error"]
    metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 1.0' in metrics


@pytest.mark.parametrize(
    ("name", "text", "status", "code"),
    [("nobody", ONE_MASK, 404, "preset_not_found"), ("tiny", "no mask", 422, "mask_not_found")],
)
async def test_refusals_are_those_of_every_interface(
    client: httpx.AsyncClient, name: str, text: str, status: int, code: str
) -> None:
    """The same codes, and a string that a client shows."""
    response = await client.post(f"/v1/models/{name}:predict", json={"instances": [text]})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert isinstance(response.json()["error"], str)


async def test_caller_may_be_in_a_hurry(store: FakeStore, serve: Any) -> None:
    """As at every interface, by a header, and an answer says where its time went."""
    body = {"instances": [ONE_MASK]}
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store) as client:
            headers = {"x-request-timeout-s": "0.001"}
            late = await client.post("/v1/models/tiny:predict", json=body, headers=headers)
            gate.open()
            good = await client.post("/v1/models/tiny:predict", json=body)
    assert (late.status_code, late.json()["code"]) == (408, "caller_timeout")
    assert (good.status_code, "x-inference-time" in good.headers) == (200, True)


async def test_models_are_listed_and_described(client: httpx.AsyncClient) -> None:
    """Ready is what is in memory."""
    await predict(client, ONE_MASK)
    assert (await client.get("/v1/models")).json() == {"models": ["tiny", "other", "third"]}
    assert (await client.get("/v1/models/tiny")).json() == {"name": "tiny", "ready": True}
    assert (await client.get("/v1/models/other")).json() == {"name": "other", "ready": False}
    assert (await client.get("/v1/models/nobody")).json()["code"] == "preset_not_found"
