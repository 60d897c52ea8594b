"""What MLServer's types and codecs write is answered with what they read."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from mlserver.codecs import NumpyCodec, StringCodec, StringRequestCodec
from mlserver.types import (
    InferenceRequest,
    InferenceResponse,
    MetadataModelResponse,
    MetadataServerResponse,
    Parameters,
    RepositoryIndexRequest,
    RepositoryIndexResponse,
)

from clients.questions import PRESET, Prediction, Question, RefusedError
from clients.table import (
    NO_SUCH_TARGET,
    ONE_MASK,
    REFUSED,
    Refusal,
    check_overload,
    check_predictions,
    check_refusal,
    each_answered,
)
from e2e.running_server import ADMIN, RunningServer

KEY = {"authorization": "Bearer key"}

pytestmark = pytest.mark.clients


def ask(question: Question) -> list[list[Prediction]]:
    """Write a question with MLServer's types, send it, and read its answer with them."""
    request = InferenceRequest(
        inputs=[StringCodec.encode_input("text", list(question.texts))],
        parameters=Parameters(**question.parameters),
    )
    url = f"{question.url}/v2/models/{question.model}/infer"
    answer = httpx.post(url, content=request.model_dump_json(), headers=question.headers)
    if not answer.is_success:
        raise RefusedError(answer.status_code, answer.json()["error"])
    outputs = {each.name: each for each in InferenceResponse(**answer.json()).outputs}
    rows = zip(
        NumpyCodec.decode_output(outputs["token"]).tolist(),
        _split(StringCodec.decode_output(outputs["token_str"]), outputs["token_str"].shape),
        NumpyCodec.decode_output(outputs["score"]).tolist(),
        strict=True,
    )
    return [list(zip(*row, strict=True)) for row in rows]


def _split(entries: list[str], shape: list[int]) -> list[list[str]]:
    """Undo that the codec of strings knows no dimensions."""
    _, width = shape
    return [entries[start : start + width] for start in range(0, len(entries), width)]


@each_answered
def test_predictions_are_the_native_ones(
    server: RunningServer, texts: Sequence[str], parameters: dict[str, Any]
) -> None:
    """For one text or several, one mask or several, with targets or without."""
    check_predictions(server, ask, texts, parameters)


@pytest.mark.parametrize("refusal", [*REFUSED, NO_SUCH_TARGET])
def test_refusals_are_told(server: RunningServer, refusal: Refusal) -> None:
    """With the server's status and sentence."""
    check_refusal(server, ask, refusal)


def test_overload_is_told(narrow_server: RunningServer) -> None:
    """Another connection is all that the server takes."""
    check_overload(narrow_server, ask)


def test_a_whole_request_may_be_of_strings(server: RunningServer) -> None:
    """As its codec of requests writes it, with an id; every output is read as what it says."""
    request = StringRequestCodec.encode_request([ONE_MASK, ONE_MASK])
    request.id = "7"
    url = f"{server.url}/v2/models/{PRESET}/infer"
    answer = httpx.post(url, content=request.model_dump_json(), headers=KEY)
    response = InferenceResponse(**answer.raise_for_status().json())
    assert (response.id, response.model_name, response.model_version) == ("7", PRESET, "1")
    [likeliest] = [each for each in response.outputs if each.name == "output-0"]
    assert StringCodec.decode_output(likeliest) == ["paris", "paris"]


def test_metadata_are_of_its_types(server: RunningServer) -> None:
    """Of the server, of a model, and of all models."""
    with httpx.Client(base_url=server.url, headers=KEY) as client:
        about = MetadataServerResponse(**client.get("/v2").raise_for_status().json())
        model = MetadataModelResponse(**client.get(f"/v2/models/{PRESET}").json())
        body = RepositoryIndexRequest(ready=True).model_dump_json()
        index = client.post("/v2/repository/index", content=body, headers=ADMIN)
    assert about.name == "fillmask"
    assert model.inputs is not None
    assert [each.datatype for each in model.inputs] == ["BYTES"]
    listed = RepositoryIndexResponse(root=index.raise_for_status().json()).root
    assert [(each.name, each.state) for each in listed] == [(PRESET, "READY")]
