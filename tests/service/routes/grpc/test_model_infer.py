"""`ModelInfer`: what REST answers, in messages."""

from typing import Any

import pytest
from grpc import StatusCode

from fakes import FakeStore, Gate
from grpc_calls import (
    ONE_MASK,
    Caller,
    infer_request,
    open_caller,
    parameter,
    parameters,
    raw_request,
    read_message,
    refuse,
)
from service.routes.grpc.wire import grpc_service_pb2 as wire

TWO_MASKS = "[MASK] is [MASK]"
OUTPUTS = ["token_str", "token", "score", "input", "output-0"]


async def answer_of_rest(caller: Caller, *texts: str, **fields: Any) -> dict[str, Any]:
    """Return the outputs that REST answers, by name."""
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    response = await caller.http.post("/v2/models/tiny/infer", json={"inputs": [tensor]} | fields)
    return {output["name"]: output for output in response.raise_for_status().json()["outputs"]}


@pytest.mark.parametrize("write", [infer_request, raw_request])
@pytest.mark.parametrize("said", [{}, {"top_k": 2}, {"targets": "cat"}, {"targets": "dog"}])
async def test_outputs_are_those_of_rest(
    caller: Caller, write: Any, said: dict[str, object]
) -> None:
    """As bytes for who sends bytes, and as values for who sends values."""
    texts = [ONE_MASK, TWO_MASKS]
    answer = await caller.start("ModelInfer", write(*texts, parameters=parameters(**said)))
    assert (answer.model_name, answer.model_version, answer.id) == ("tiny", "1", "")
    assert bool(answer.raw_output_contents) == (write is raw_request)
    outputs = read_message(answer)
    assert list(outputs) == OUTPUTS
    assert outputs == await answer_of_rest(caller, *texts, parameters=said)


async def test_targets_may_be_a_list(caller: Caller) -> None:
    """Written as JSON: a parameter is a string."""
    said = parameters(targets='["dog", "cat"]')
    outputs = read_message(
        await caller.start("ModelInfer", infer_request(ONE_MASK, parameters=said))
    )
    assert outputs["token_str"]["data"] == ["cat", "dog"]


async def test_one_target_may_look_like_json(caller: Caller) -> None:
    """As the entries of a vocabulary do that stand in brackets, and numbers."""
    for target in ("[UNK]", "7", '{"a": 1}', "[" * 10_000):
        said = parameters(targets=target)
        call = caller.start("ModelInfer", infer_request(ONE_MASK, parameters=said))
        if target == "[UNK]":
            assert read_message(await call)["token_str"]["data"] == ["[UNK]"]
        else:
            assert (await refuse(call)).code == "unknown_target"


async def test_outputs_are_those_that_are_asked_for(caller: Caller) -> None:
    """In that order, and with the caller's id."""
    wanted = [{"name": "token"}, {"name": "output-0"}]
    answer = await caller.start("ModelInfer", infer_request(ONE_MASK, outputs=wanted, id="7"))
    assert answer.id == "7"
    assert list(read_message(answer)) == ["token", "output-0"]


@pytest.mark.parametrize("write", [infer_request, raw_request])
async def test_caller_may_say_how_outputs_are_sent(caller: Caller, write: Any) -> None:
    """All in the same way, as the protocol has it."""
    for is_binary in (True, False):
        said = parameters(binary_data_output=is_binary)
        answer = await caller.start("ModelInfer", write(ONE_MASK, parameters=said))
        assert bool(answer.raw_output_contents) == is_binary
    wanted = [
        {"name": "token"},
        {"name": "score", "parameters": parameters(binary_data=True)},
    ]
    answer = await caller.start("ModelInfer", infer_request(ONE_MASK, outputs=wanted))
    assert len(answer.raw_output_contents) == 2


def tensor_of(**fields: Any) -> dict[str, Any]:
    """Return a request's only tensor."""
    return {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1]} | fields]}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": []}, "at inputs"),
        (tensor_of(datatype="FP32"), "should be 'BYTES'"),
        (tensor_of(), "data has 0 texts, and the shape 1"),
        (tensor_of(contents={"bytes_contents": [b"\xff"]}), "text 0 is not in UTF-8"),
        (tensor_of() | {"raw_input_contents": [b""]}, "ends after 0 of 1 texts"),
        (tensor_of() | {"raw_input_contents": [b"", b""]}, "it has 2 tensors, and inputs 1"),
        (
            tensor_of(contents={"bytes_contents": [b"x"]}) | {"raw_input_contents": [b""]},
            "send the texts in contents, or in raw_input_contents",
        ),
        (tensor_of(parameters=parameters(shared_memory_region="x")), "at inputs"),
        ({"outputs": [{"name": "logits"}]}, "at outputs"),
        ({"outputs": [{"name": "token", "parameters": parameters(classification=3)}]}, "at out"),
        ({"parameters": parameters(topk=3)}, "at parameters"),
        ({"parameters": parameters(top_k=0)}, "at parameters"),
        ({"parameters": parameters(top_k="3")}, "at parameters"),
        ({"parameters": parameters(targets="[1]")}, "at parameters"),
        ({"parameters": parameters(targets="[]")}, "at parameters"),
        ({"parameters": {"priority": wire.InferParameter(), "x": parameter(1)}}, "parameters.x"),
    ],
)
async def test_bad_messages_are_refused(
    caller: Caller, fields: dict[str, Any], reason: str
) -> None:
    """In the sentences of REST, and counted as its bodies are."""
    refused = await refuse(caller.start("ModelInfer", infer_request(ONE_MASK, **fields)))
    assert (refused.status, refused.code) == (StatusCode.INVALID_ARGUMENT, "invalid_request")
    assert reason in refused.sentence
    metric = 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"}'
    assert await caller.counted(metric) == 1


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (infer_request(ONE_MASK, model_name="nobody"), "NOT_FOUND", "preset_not_found"),
        (infer_request(ONE_MASK, model_version="2"), "NOT_FOUND", "preset_not_found"),
        (infer_request("no mask"), "INVALID_ARGUMENT", "mask_not_found"),
        (infer_request(ONE_MASK, ""), "INVALID_ARGUMENT", "empty_text"),
        (infer_request(*[ONE_MASK] * 3), "INVALID_ARGUMENT", "invalid_request"),
    ],
)
async def test_refusals_are_those_of_every_interface(
    store: FakeStore, serve: Any, request_: Any, status: str, code: str
) -> None:
    """The same sentences and codes, and which text is at fault."""
    async with open_caller(serve, store, max_inputs=2) as caller:
        refused = await refuse(caller.start("ModelInfer", request_))
    assert (refused.status.name, refused.code) == (status, code)
    assert refused.sentence.endswith(".")
    if code == "empty_text":
        assert refused.metadata["input"] == "1"


@pytest.mark.parametrize(("microseconds", "header"), [(1, None), (60_000_000, "0.001"), (1, "60")])
async def test_caller_may_be_in_a_hurry(
    store: FakeStore, serve: Any, microseconds: int, header: str | None
) -> None:
    """By a header, as over HTTP, or by Triton's parameter: the sooner counts."""
    request = infer_request(ONE_MASK, parameters=parameters(timeout=microseconds))
    metadata = {"x_request_timeout_s": header} if header else {}
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with open_caller(serve, store) as caller:
            refused = await refuse(caller.start("ModelInfer", request, **metadata))
            gate.open()
    assert (refused.status, refused.code) == (StatusCode.DEADLINE_EXCEEDED, "caller_timeout")


async def test_answer_says_where_the_time_went(caller: Caller) -> None:
    """Behind it, as the headers of HTTP do."""
    call = caller.start("ModelInfer", infer_request(ONE_MASK), x_request_id="mine", timeout=60)
    await call
    told = dict(await call.trailing_metadata())
    assert told["x-request-id"] == "mine"
    assert {"server-timing", "x-queue-time", "x-inference-time"} <= told.keys()
