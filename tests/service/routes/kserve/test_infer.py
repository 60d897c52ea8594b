"""`POST /v2/models/{name}/infer`: tensors in and tensors out, as JSON and as bytes."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from fakes import FakeStore, Gate
from service.routes.kserve.infer_response import OUTPUTS, InferAnswer
from service.routes.kserve.tensor_bytes import dump_texts, load_texts

PATH = "/v2/models/tiny/infer"
ONE_MASK = "The capital of France is [MASK]."
TWO_MASKS = "[MASK] is [MASK]"
LENGTH = "Inference-Header-Content-Length"
DTYPES = {"INT64": "<i8", "FP32": "<f4"}


def tensor(*texts: str, **fields: Any) -> dict[str, Any]:
    """Return the tensor of some texts, as JSON has it."""
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts} | fields


async def infer(client: httpx.AsyncClient, *texts: str, **fields: Any) -> dict[str, Any]:
    """Return the outputs for texts by name, whose form is that of the schema."""
    response = await client.post(PATH, json={"inputs": [tensor(*texts)]} | fields)
    assert response.status_code == 200, response.text
    answer = response.json()
    InferAnswer.model_validate(answer, strict=True, extra="forbid")
    return {output["name"]: output for output in answer["outputs"]}


async def refuse(client: httpx.AsyncClient, **fields: Any) -> str:
    """Return why a request is not valid."""
    content = json.dumps({"inputs": [tensor(ONE_MASK)]} | fields)
    response = await client.post(PATH, content=content)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    return str(response.json()["error"])


def pack(body: dict[str, Any], tensors: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body with tensors behind its JSON, and the headers that say so."""
    head = json.dumps(body).encode()
    headers = {LENGTH: str(len(head)), "content-type": "application/octet-stream"}
    return head + tensors, headers


async def post_bytes(
    client: httpx.AsyncClient, tensors: bytes, *, path: str = PATH, **fields: Any
) -> httpx.Response:
    """Send texts as bytes."""
    given = {"name": "x", "shape": [1], "datatype": "BYTES"}
    given |= {"parameters": {"binary_data_size": len(tensors)}}
    content, headers = pack({"inputs": [given | fields]}, tensors)
    return await client.post(path, content=content, headers=headers)


def unpack(response: httpx.Response) -> dict[str, Any]:
    """Return the values of an answer's outputs, whose bytes are behind its JSON."""
    length = int(response.headers[LENGTH])
    head, tensors = json.loads(response.content[:length]), response.content[length:]
    InferAnswer.model_validate(head, strict=True, extra="forbid")
    outputs: dict[str, Any] = {}
    for output in head["outputs"]:
        if "parameters" not in output:
            outputs[output["name"]] = output["data"]
            continue
        size = output["parameters"]["binary_data_size"]
        content, tensors = tensors[:size], tensors[size:]
        if output["datatype"] == "BYTES":
            values = load_texts(content, int(np.prod(output["shape"])))
        else:
            values = np.frombuffer(content, DTYPES[output["datatype"]]).tolist()
        outputs[output["name"]] = values
    assert not tensors
    return outputs


async def test_outputs_are_tensors(client: httpx.AsyncClient) -> None:
    """Masks of all texts follow each other, for texts may have different numbers of them."""
    outputs = await infer(client, ONE_MASK, TWO_MASKS, parameters={"top_k": 2})
    assert outputs == {
        "token_str": {
            "name": "token_str",
            "datatype": "BYTES",
            "shape": [3, 2],
            "data": ["paris", "london"] * 3,
        },
        "token": {"name": "token", "datatype": "INT64", "shape": [3, 2], "data": [0, 1] * 3},
        "score": {"name": "score", "datatype": "FP32", "shape": [3, 2], "data": [0.5, 0.25] * 3},
        "input": {"name": "input", "datatype": "INT64", "shape": [3], "data": [0, 1, 1]},
        "output-0": {
            "name": "output-0",
            "datatype": "BYTES",
            "shape": [2],
            "data": ["paris", "paris paris"],
        },
    }


async def test_answer_says_what_it_answers(client: httpx.AsyncClient) -> None:
    """The caller's id, if there is one."""
    body: dict[str, Any] = {"inputs": [tensor(ONE_MASK)], "model_name": "whatever"}
    answer = (await client.post(PATH, json=body)).json()
    assert {**answer, "outputs": 0} == {"model_name": "tiny", "model_version": "1", "outputs": 0}
    assert (await client.post(PATH, json=body | {"id": "7"})).json()["id"] == "7"


@pytest.mark.parametrize(
    ("shape", "data"),
    [([2], [ONE_MASK] * 2), ([2, 1], [ONE_MASK] * 2), ([2, 1], [[ONE_MASK]] * 2)],
)
async def test_texts_may_have_any_shape(
    client: httpx.AsyncClient, shape: list[int], data: list[object]
) -> None:
    """In rows or not."""
    outputs = await infer(client, inputs=[tensor(shape=shape, data=data)])
    assert outputs["output-0"]["data"] == ["paris", "paris"]


async def test_targets_are_answered_for_every_text(client: httpx.AsyncClient) -> None:
    """All of them, the likeliest first, once each."""
    targets = ["dog", "cat", "dog"]
    outputs = await infer(client, ONE_MASK, ONE_MASK, parameters={"targets": targets})
    assert outputs["token_str"]["shape"] == [2, 2]
    assert outputs["token_str"]["data"] == ["cat", "dog"] * 2


async def test_outputs_are_those_that_are_asked_for(client: httpx.AsyncClient) -> None:
    """In that order."""
    wanted = [{"name": "token"}, {"name": "output-0", "parameters": {}}]
    assert list(await infer(client, ONE_MASK, outputs=wanted)) == ["token", "output-0"]


async def test_json_needs_no_type(client: httpx.AsyncClient) -> None:
    """Triton's client names none, whose bodies are JSON all the same."""
    content = json.dumps({"inputs": [tensor(ONE_MASK)]}).encode()
    assert (await client.post(PATH, content=content)).status_code == 200


async def test_texts_and_outputs_may_be_bytes(client: httpx.AsyncClient) -> None:
    """Of the same values as in JSON, the length of which a header tells."""
    texts = [ONE_MASK, TWO_MASKS]
    plain = await infer(client, *texts)
    raw = dump_texts(texts)
    given = tensor(shape=[2], parameters={"binary_data_size": len(raw)}, data=None)
    body = {"inputs": [given], "parameters": {"binary_data_output": True}}
    content, headers = pack(body, raw)
    response = await client.post(PATH, content=content, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/octet-stream"
    assert unpack(response) == {name: output["data"] for name, output in plain.items()}


@pytest.mark.parametrize("default", [False, True])
async def test_each_output_may_be_bytes_or_not(client: httpx.AsyncClient, *, default: bool) -> None:
    """What says nothing follows the request."""
    wanted = [
        {"name": "score", "parameters": {"binary_data": True}},
        {"name": "token", "parameters": {"binary_data": False}},
        {"name": "input"},
    ]
    parameters = {"binary_data_output": default, "top_k": 1}
    body = {"inputs": [tensor(ONE_MASK)], "outputs": wanted, "parameters": parameters}
    response = await client.post(PATH, json=body)
    assert unpack(response) == {"score": [0.5], "token": [0], "input": [0]}
    assert response.content.count(b"binary_data_size") == 1 + default


@pytest.mark.parametrize("path", [PATH, "/v2/models/tiny/versions/1/infer"])
async def test_a_model_has_one_version(client: httpx.AsyncClient, path: str) -> None:
    """Whose path answers alike; that of another leads nowhere."""
    body = {"inputs": [tensor(ONE_MASK)]}
    assert (await client.post(path, json=body)).status_code == 200
    path = path.replace("tiny", "tiny/versions/2", 1) if path == PATH else "/v2/models/x/infer"
    assert (await client.post(path, json=body)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": []}, "at inputs"),
        ({"inputs": [tensor(ONE_MASK)] * 2}, "at inputs"),
        ({"inputs": [tensor(ONE_MASK, datatype="FP32")]}, "should be 'BYTES'"),
        ({"inputs": [tensor(ONE_MASK, shape=[2])]}, "data has 1 text, and the shape 2"),
        ({"inputs": [tensor(ONE_MASK, shape=[1] * 9)]}, "at inputs"),
        ({"inputs": [tensor(ONE_MASK, shape=[-1])]}, "at inputs"),
        ({"inputs": [tensor(shape=[0], data=[])]}, "there is no text"),
        ({"inputs": [tensor(data=None, shape=[1])]}, "ends after 0 of 1 texts"),
        ({"inputs": [tensor(ONE_MASK, parameters={"shared_memory_region": "x"})]}, "at inputs"),
        ({"inputs": [tensor(ONE_MASK, parameters={"binary_data_size": 3})]}, "0 bytes are behind"),
        ({"outputs": [{"name": "logits"}]}, "at outputs"),
        ({"outputs": [{"name": "token", "parameters": {"classification": 3}}]}, "at outputs"),
        ({"parameters": {"topk": 3}}, "at parameters"),
        ({"parameters": {"timeout": 0}}, "at parameters"),
        ({"inputs": [tensor("\ud800")]}, "at inputs"),
    ],
)
async def test_bad_bodies_are_refused(
    client: httpx.AsyncClient, fields: dict[str, Any], reason: str
) -> None:
    """With the field at fault, or what is wrong with the texts."""
    assert reason in await refuse(client, **fields)


@pytest.mark.parametrize("path", [PATH, "/v2/models/tiny/versions/1/infer"])
async def test_bad_bodies_are_counted(client: httpx.AsyncClient, path: str) -> None:
    """As those of every task are, whoever refuses them."""
    for inputs in ([], [tensor(ONE_MASK, shape=[2])]):
        assert (await client.post(path, json={"inputs": inputs})).status_code == 422
    metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 2.0' in metrics


@pytest.mark.parametrize("length", ["", "x", "-1", "1e3", "²", "9" * 5000, "999999"])
async def test_bad_length_is_refused(client: httpx.AsyncClient, length: str) -> None:
    """Before anything of the body is read as JSON."""
    content = json.dumps({"inputs": [tensor(ONE_MASK)]}).encode()
    headers = [(LENGTH.encode(), length.encode())]
    response = await client.post(PATH, content=content, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert "ontent-length" in response.json()["error"]


async def test_length_that_cuts_the_json_is_refused(client: httpx.AsyncClient) -> None:
    """What is left of it is no JSON."""
    content = json.dumps({"inputs": [tensor(ONE_MASK)]}).encode()
    response = await client.post(PATH, content=content, headers={LENGTH: "20"})
    assert response.json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("tensors", "fields", "reason"),
    [
        (dump_texts([ONE_MASK]), {"shape": [2]}, "ends after 1 of 2 texts"),
        (dump_texts([ONE_MASK]), {"data": [ONE_MASK]}, "send the texts in data, or as bytes"),
        (dump_texts([ONE_MASK]), {"parameters": {}}, "are behind the JSON"),
        (b"\2\0\0\0\xff\xfe", {}, "not in UTF-8"),
    ],
)
async def test_bad_bytes_are_refused(
    client: httpx.AsyncClient, tensors: bytes, fields: dict[str, Any], reason: str
) -> None:
    """With what is wrong with them."""
    response = await post_bytes(client, tensors, **fields)
    assert response.status_code == 422
    assert reason in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "text", "status", "code"),
    [
        ("/v2/models/nobody/infer", ONE_MASK, 404, "preset_not_found"),
        (PATH, "no mask", 422, "mask_not_found"),
        (PATH, "", 422, "empty_text"),
    ],
)
async def test_refusals_are_those_of_every_interface(
    client: httpx.AsyncClient, path: str, text: str, status: int, code: str
) -> None:
    """The same codes, and a string that a client shows."""
    response = await post_bytes(client, dump_texts([text]), path=path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert isinstance(response.json()["error"], str)


async def test_limits_are_those_of_every_interface(store: FakeStore, serve: Any) -> None:
    """However many texts a tensor has."""
    async with serve(store, max_inputs=1, max_top_k=3) as client:
        assert "2 inputs" in await refuse(client, inputs=[tensor(ONE_MASK, ONE_MASK)])
        assert "4 predictions a mask" in await refuse(client, parameters={"top_k": 4})


@pytest.mark.parametrize(("microseconds", "header"), [(1, None), (60_000_000, "0.001"), (1, "60")])
async def test_caller_may_be_in_a_hurry(
    store: FakeStore, serve: Any, microseconds: int, header: str | None
) -> None:
    """By a header or by Triton's parameter: the sooner counts."""
    body = {"inputs": [tensor(ONE_MASK)], "parameters": {"timeout": microseconds}}
    headers = {"x-request-timeout-s": header} if header else {}
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store) as client:
            response = await client.post(PATH, json=body, headers=headers)
            gate.open()
    assert (response.status_code, response.json()["code"]) == (408, "caller_timeout")


async def test_patient_callers_are_answered(client: httpx.AsyncClient) -> None:
    """And told where the time went."""
    body = {"inputs": [tensor(ONE_MASK)], "parameters": {"timeout": 60_000_000, "priority": 1}}
    response = await client.post(PATH, json=body, headers={"x-request-timeout-s": "60"})
    assert response.status_code == 200
    assert "x-inference-time" in response.headers


def test_every_output_has_its_datatype() -> None:
    """Those that the protocol has."""
    assert {output.datatype for output in OUTPUTS.values()} == {"BYTES", "INT64", "FP32"}
