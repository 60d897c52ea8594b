"""Clients that people have, each behind the one question that the tests ask."""

import asyncio
import json
from typing import Any

import httpx
import kserve
import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio
from kserve.protocol.infer_type import InferInput, InferRequest
from tritonclient.utils import InferenceServerException

from clients import triton_grpc
from clients.questions import Prediction, Question, RefusedError

MARKS = [
    pytest.mark.clients,
    # Triton's asynchronous client leaves connections to the collector.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <function Connection.__del__"
        ":pytest.PytestUnraisableExceptionWarning"
    ),
]


def ask_triton(question: Question, *, is_binary: bool) -> list[list[Prediction]]:
    """Ask with `tritonclient.http`."""
    client = tritonclient.http.InferenceServerClient(question.url.removeprefix("http://"))
    try:
        return _read_tensors(client.infer(**_triton_call(question, is_binary=is_binary)))
    except InferenceServerException as error:
        raise RefusedError(int(error.status()), error.message()) from error
    finally:
        client.close()


def ask_triton_aio(question: Question, *, is_binary: bool) -> list[list[Prediction]]:
    """Ask with `tritonclient.http.aio`."""

    async def ask() -> list[list[Prediction]]:
        url = question.url.removeprefix("http://")
        async with tritonclient.http.aio.InferenceServerClient(url) as client:
            try:
                found = await client.infer(**_triton_call(question, is_binary=is_binary))
            except InferenceServerException as error:
                raise RefusedError(int(error.status()), error.message()) from error
            return _read_tensors(found)

    return asyncio.run(ask())


def _triton_call(question: Question, *, is_binary: bool) -> dict[str, Any]:
    tensor = tritonclient.http.InferInput("text", [len(question.texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(question.texts, dtype=object), binary_data=is_binary)
    names = ("token", "token_str", "score")
    outputs = [tritonclient.http.InferRequestedOutput(n, binary_data=is_binary) for n in names]
    return {
        "model_name": question.model,
        "inputs": [tensor],
        # Without any, Triton's client asks for all of them as bytes.
        "outputs": None if is_binary else outputs,
        "headers": question.headers,
        "parameters": question.parameters,
    }


def ask_triton_grpc(question: Question, *, is_aio: bool) -> list[list[Prediction]]:
    """Ask with `tritonclient.grpc`, or with `tritonclient.grpc.aio`."""
    call = triton_grpc.Call(
        question.grpc,
        question.model,
        tuple(question.texts),
        # A parameter of gRPC is no list.
        {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in question.parameters.items()
        },
        question.headers,
    )
    found = triton_grpc.run(triton_grpc.ask_aio if is_aio else triton_grpc.ask, call)
    if isinstance(found, triton_grpc.Refusal):
        raise RefusedError(_STATUSES[found.status], found.message)
    return _read_tensors(found)


_STATUSES = {
    "StatusCode.NOT_FOUND": 404,
    "StatusCode.INVALID_ARGUMENT": 422,
    "StatusCode.UNAUTHENTICATED": 401,
    "StatusCode.DEADLINE_EXCEEDED": 408,
    "StatusCode.RESOURCE_EXHAUSTED": 429,
}


def _read_tensors(found: Any) -> list[list[Prediction]]:
    columns = (found.as_numpy(name) for name in ("token", "token_str", "score"))
    return [
        [
            (int(token), _to_text(entry), float(score))
            for token, entry, score in zip(*row, strict=True)
        ]
        for row in zip(*columns, strict=True)
    ]


def _to_text(entry: Any) -> str:
    return entry.decode() if isinstance(entry, bytes) else str(entry)


def ask_kserve_v2(question: Question, *, is_binary: bool) -> list[list[Prediction]]:
    """Ask with KServe's client, in the Open Inference Protocol."""
    tensor = InferInput("text", [len(question.texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(question.texts, dtype=object), binary_data=is_binary)
    parameters = question.parameters | {"binary_data_output": is_binary}
    request = InferRequest(question.model, [tensor], parameters=parameters)
    found = _ask_kserve("v2", question, request)
    columns = (
        found.get_output_by_name(name).as_numpy() for name in ("token", "token_str", "score")
    )
    return [
        [
            (int(token), _to_text(entry), float(score))
            for token, entry, score in zip(*row, strict=True)
        ]
        for row in zip(*columns, strict=True)
    ]


def ask_kserve_v1(question: Question) -> list[list[Prediction]]:
    """Ask with KServe's client, in its first protocol."""
    body = {"instances": list(question.texts), "parameters": question.parameters}
    found = _ask_kserve("v1", question, body)
    return [
        [(each["token"], each["token_str"], each["score"]) for each in mask]
        for text in found["predictions"]
        for mask in text
    ]


def _ask_kserve(protocol: str, question: Question, data: Any) -> Any:
    async def ask() -> Any:
        config = kserve.RESTConfig(protocol=protocol)
        async with kserve.InferenceRESTClient(config) as client:
            try:
                return await client.infer(
                    question.url, data, question.model, headers=dict(question.headers)
                )
            except httpx.HTTPStatusError as error:
                raise RefusedError(error.response.status_code, str(error)) from error

    return asyncio.run(ask())
