"""Whatever interface a request comes by, its answer is the native one's."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes import VOCABULARY, FakeEngine, FakeStore, make_preset
from grpc_calls import (
    Caller,
    infer_request,
    open_caller,
    parameters,
    raw_request,
    read_message,
)
from model_store.engines.batches.batch import Batch, Scores
from service.routes.kserve.tensor_bytes import dump_texts, load_texts

DTYPES = {"INT64": "<i8", "FP32": "<f4"}
MAX_TARGETS = 8
"""More than the five predictions that are answered where nobody says how many."""

WORDS = st.sampled_from(["the", "Cat", "sat", "paris", "zebra", ".", "[MASK]", "[MASK]"])
TEXTS = st.lists(WORDS, max_size=6).map(lambda words: " ".join([*words, "[MASK]"]))
REQUESTS = st.fixed_dictionaries(
    {"inputs": st.lists(TEXTS, min_size=1, max_size=4)},
    optional={
        "top_k": st.integers(1, 20),
        "targets": st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=MAX_TARGETS),
    },
)
MANY_TARGETS = {"inputs": ["the [MASK]"], "targets": list(VOCABULARY[:MAX_TARGETS])}

each_request = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

Masks = list[list[list[dict[str, Any]]]]
"""For each text, for each mask, its predictions."""


def score_by_place(batch: Batch, k: int) -> Scores:
    """Give every mask candidates of its own, told by where in its text it is."""
    (queries,) = batch.queries
    slots = queries.slots[: len(queries.masks)]
    rows = slots // queries.positions.shape[1]
    # Where in its text each is, which is the same in any batch.
    places = batch.positions[rows, queries.positions.reshape(-1)[slots]]
    drawn = [np.random.default_rng(place).normal(size=len(VOCABULARY)) for place in places]
    logits = np.stack(drawn).astype(np.float32)
    # One by one: a sum over several rows rounds otherwise in batches of other sizes.
    normalizers = np.array([np.log(np.exp(row).sum()) for row in logits], np.float32)
    log_probabilities = logits - normalizers[:, None]
    token_ids = np.argsort(-logits, axis=1)[:, :k].astype(np.int32)
    return Scores(
        token_ids,
        np.take_along_axis(log_probabilities, token_ids, 1),
        np.take_along_axis(log_probabilities, queries.target_ids, 1),
        logits,
        normalizers,
    )


@pytest.fixture
async def server(serve: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server whose predictions differ from mask to mask."""
    store = FakeStore([make_preset("tiny")])
    store.engines["tiny"] = FakeEngine(answer=score_by_place)
    async with serve(store) as client:
        yield client


@pytest.fixture
async def caller(serve: Any) -> AsyncIterator[Caller]:
    """Return a caller of such a server over gRPC."""
    store = FakeStore([make_preset("tiny")])
    store.engines["tiny"] = FakeEngine(answer=score_by_place)
    async with open_caller(serve, store) as caller:
        yield caller


async def post(server: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    """Return the answer to a good request."""
    response = await server.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def fill(server: httpx.AsyncClient, request: dict[str, Any]) -> Masks:
    """Return the native answer."""
    results = (await post(server, "/fill-mask", request))["results"]
    return [[mask["predictions"] for mask in result["masks"]] for result in results]


def parameters_of(request: dict[str, Any]) -> dict[str, Any]:
    """Return what is not a text of a native request."""
    return {name: value for name, value in request.items() if name != "inputs"}


def pick(masks: list[list[dict[str, Any]]], *names: str) -> list[Any]:
    """Return some fields of every prediction."""
    return [[[prediction[name] for name in names] for prediction in mask] for mask in masks]


def expect(masks: list[list[dict[str, Any]]], *names: str) -> list[Any]:
    """Return the same of native ones, whose scores others may round."""
    return [
        [[pytest.approx(p[n], rel=1e-5) if n == "score" else p[n] for n in names] for p in mask]
        for mask in masks
    ]


def spread(answer: list[Any]) -> Masks:
    """Undo the nesting of Hugging Face's answers to several texts."""
    return [[text] if isinstance(text[0], dict) else text for text in answer]


@given(request=REQUESTS)
@example(request=MANY_TARGETS)
@each_request
async def test_hugging_faces_task(server: httpx.AsyncClient, request: dict[str, Any]) -> None:
    """Tokens and scores are the native ones; texts are decoded as Transformers decodes them."""
    # There it is five of the targets, too, where nobody says how many.
    native = await fill(server, {"top_k": 5} | request)
    body = {"inputs": request["inputs"], "parameters": parameters_of(request)}
    answer = await post(server, "/models/tiny", body)
    texts = spread(answer if len(native) > 1 else [answer])
    for text, masks in zip(texts, native, strict=True):
        assert pick(text, "token", "score") == expect(masks, "token", "score")


@given(request=REQUESTS)
@example(request=MANY_TARGETS)
@each_request
async def test_kserve_v1(server: httpx.AsyncClient, request: dict[str, Any]) -> None:
    """Predictions are the native ones, and without a wish the likeliest of them, decoded."""
    native = await fill(server, request)
    body = {"instances": request["inputs"], "parameters": parameters_of(request) or {"top_k": 5}}
    texts = (await post(server, "/v1/models/tiny:predict", body))["predictions"]
    names = ("token", "score", "token_str", "sequence")
    for text, masks in zip(texts, native, strict=True):
        assert pick(text, *names) == expect(masks, *names)


@given(request=REQUESTS, is_binary=st.booleans())
@example(request=MANY_TARGETS, is_binary=True)
@each_request
async def test_open_inference(
    server: httpx.AsyncClient, request: dict[str, Any], *, is_binary: bool
) -> None:
    """Tensors hold the native predictions, as JSON and as bytes."""
    native = await fill(server, request)
    outputs = await infer(server, request, is_binary=is_binary)
    masks = [mask for text in native for mask in text]
    names = ("token", "score", "token_str")
    rows = zip(*(outputs[name] for name in names), strict=True)
    said = [[dict(zip(names, p, strict=True)) for p in zip(*row, strict=True)] for row in rows]
    assert pick(said, *names) == expect(masks, *names)
    assert outputs["input"] == [index for index, text in enumerate(native) for _ in text]
    plain = {"instances": request["inputs"]}
    if "targets" not in request:
        predictions = (await post(server, "/v1/models/tiny:predict", plain))["predictions"]
        assert outputs["output-0"] == predictions


@given(requests=st.lists(REQUESTS, min_size=1, max_size=4))
@each_request
async def test_lines(server: httpx.AsyncClient, requests: list[dict[str, Any]]) -> None:
    """Each is answered with the native answer, a line each, in order."""
    native = [await post(server, "/fill-mask", request) for request in requests]
    content = "".join(f"{json.dumps(request)}\n" for request in requests)
    headers = {"content-type": "application/x-ndjson"}
    response = await server.post("/fill-mask", content=content, headers=headers)
    assert [json.loads(line) for line in response.text.splitlines()] == native


@given(request=REQUESTS)
@each_request
async def test_interfaces_share_batches(server: httpx.AsyncClient, request: dict[str, Any]) -> None:
    """Asked at once, each answers what it answers alone."""
    texts, parameters = request["inputs"], parameters_of(request)

    def ask_all() -> list[Coroutine[Any, Any, Any]]:
        return [
            fill(server, request),
            post(server, "/models/tiny", {"inputs": texts, "parameters": parameters}),
            post(server, "/v1/models/tiny:predict", {"instances": texts, "parameters": parameters}),
            infer(server, request, is_binary=False),
            infer(server, request, is_binary=True),
        ]

    alone = [await each for each in ask_all()]
    assert await asyncio.gather(*ask_all()) == alone
    as_json, as_bytes = alone[3:]
    assert as_json == as_bytes


@given(request=REQUESTS, target=st.sampled_from(VOCABULARY))
@each_request
async def test_one_target_is_a_list_of_one(
    server: httpx.AsyncClient, request: dict[str, Any], target: str
) -> None:
    """At every interface that takes it as a string."""
    texts = request["inputs"]
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    for path, body in (
        ("/models/tiny", {"inputs": texts}),
        ("/v1/models/tiny:predict", {"instances": texts}),
        ("/v2/models/tiny/infer", {"inputs": [tensor]}),
        ("/v2/models/tiny/versions/1/infer", {"inputs": [tensor]}),
    ):
        answers = [
            await post(server, path, body | {"parameters": {"targets": targets}})
            for targets in (target, [target])
        ]
        assert answers[0] == answers[1]


@given(request=REQUESTS, is_binary=st.booleans())
@each_request
async def test_open_inference_over_grpc(
    caller: Caller, request: dict[str, Any], *, is_binary: bool
) -> None:
    """Messages hold what REST answers, as contents and as bytes."""
    expected = await infer(caller.http, request, is_binary=is_binary)
    answer = await caller.start("ModelInfer", write_message(request, is_binary=is_binary))
    assert bool(answer.raw_output_contents) == is_binary
    outputs = read_message(answer)
    assert {name: output["data"] for name, output in outputs.items()} == {
        name: np.array(values, dtype=object).reshape(-1).tolist()
        for name, values in expected.items()
    }


def write_message(request: dict[str, Any], *, is_binary: bool) -> Any:
    """Return a native request as a message."""
    said = parameters_of(request)
    if "targets" in said:
        said["targets"] = json.dumps(said["targets"])
    write = raw_request if is_binary else infer_request
    return write(*request["inputs"], parameters=parameters(**said))


async def infer(
    server: httpx.AsyncClient, request: dict[str, Any], *, is_binary: bool
) -> dict[str, Any]:
    """Return the outputs for a native request, by name and in their shapes."""
    texts = request["inputs"]
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES"}
    content = dump_texts(texts) if is_binary else b""
    form = {"parameters": {"binary_data_size": len(content)}} if is_binary else {"data": texts}
    parameters = parameters_of(request) | {"binary_data_output": is_binary}
    head = json.dumps({"inputs": [tensor | form], "parameters": parameters}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    path = "/v2/models/tiny/infer"
    response = await server.post(path, content=head + content, headers=headers)
    assert response.status_code == 200, response.text
    length = int(response.headers.get("inference-header-content-length", len(response.content)))
    answer, rest = json.loads(response.content[:length]), response.content[length:]
    outputs = {}
    for output in answer["outputs"]:
        values = output.get("data")
        if is_binary:
            size = output["parameters"]["binary_data_size"]
            values, rest = read(output, rest[:size]), rest[size:]
        outputs[output["name"]] = np.array(values, dtype=object).reshape(output["shape"]).tolist()
    assert not rest
    return outputs


def read(output: dict[str, Any], content: bytes) -> list[Any]:
    """Return the values that an output has as bytes."""
    if output["datatype"] == "BYTES":
        return load_texts(content, int(np.prod(output["shape"])))
    values: list[Any] = np.frombuffer(content, DTYPES[output["datatype"]]).tolist()
    return values
