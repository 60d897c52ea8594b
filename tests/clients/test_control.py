"""What clients ask beside predictions: health, metadata, readiness, loading."""

import asyncio
from typing import Any

import kserve
import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException

from clients import triton_grpc
from clients.callers import MARKS
from clients.questions import PRESET
from e2e.running_server import ADMIN, RunningServer

KEY = {"authorization": "Bearer key"}
ABSENT = "bert_tiny_en_uncased"
"""A preset that is listed, and whose files are not here."""

pytestmark = MARKS


@pytest.fixture
def triton(server: RunningServer) -> Any:
    """Return Triton's client."""
    client = tritonclient.http.InferenceServerClient(server.url.removeprefix("http://"))
    yield client
    client.close()


def make_input() -> Any:
    """Return the tensor of a text."""
    tensor = tritonclient.http.InferInput("text", [1, 1], "BYTES")
    return tensor.set_data_from_numpy(
        np.array([[b"The capital of France is [MASK]."]], dtype=object)
    )


def test_triton_sees_a_server_that_answers(triton: Any) -> None:
    """Alive, ready, and with what it can do."""
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert "binary_tensor_data" in triton.get_server_metadata(headers=KEY)["extensions"]


def test_triton_sees_which_models_are_ready(triton: Any) -> None:
    """One that is loaded, whatever version is asked for that there is, and no other."""
    assert triton.is_model_ready(PRESET, headers=KEY)
    assert triton.is_model_ready(PRESET, "1", headers=KEY)
    assert not triton.is_model_ready(ABSENT, headers=KEY)
    assert not triton.is_model_ready("nobody", headers=KEY)


def test_triton_gets_what_metadata_promise(triton: Any) -> None:
    """Every output, of its type."""
    described = triton.get_model_metadata(PRESET, headers=KEY)
    found = triton.infer(PRESET, [make_input()], "1", request_id="7", headers=dict(KEY))
    assert found.get_response()["id"] == "7"
    for output in described["outputs"]:
        assert found.as_numpy(output["name"]).ndim == len(output["shape"])
        assert found.get_output(output["name"])["datatype"] == output["datatype"]
    assert found.as_numpy("output-0").tolist() == [b"paris"]


def test_triton_sees_what_was_counted(triton: Any) -> None:
    """One more after one more."""

    def count() -> int:
        [model] = triton.get_inference_statistics(PRESET, headers=KEY)["model_stats"]
        return int(model["inference_stats"]["success"]["count"])

    before = count()
    triton.infer(PRESET, [make_input()], headers=dict(KEY))
    assert count() == before + 1


def test_triton_sees_what_was_counted_of_all_models(triton: Any) -> None:
    """Of all that are loaded, where none is named."""
    triton.infer(PRESET, [make_input()], headers=dict(KEY))
    [model] = triton.get_inference_statistics(headers=KEY)["model_stats"]
    [alone] = triton.get_inference_statistics(PRESET, headers=KEY)["model_stats"]
    assert model == alone


def test_triton_gets_what_the_configuration_promises(triton: Any) -> None:
    """The names of what goes in and comes out."""
    config = triton.get_model_config(PRESET, "1", headers=KEY)
    found = triton.infer(PRESET, [make_input()], headers=dict(KEY))
    for output in config["output"]:
        assert found.as_numpy(output["name"]).ndim == len(output["dims"])
    assert [tensor["data_type"] for tensor in config["input"]] == ["TYPE_STRING"]


@pytest.mark.parametrize("algorithm", ["gzip"])
def test_triton_may_pack_what_it_sends(triton: Any, algorithm: str) -> None:
    """The length of the JSON is that of what was packed."""
    found = triton.infer(
        PRESET, [make_input()], headers=dict(KEY), request_compression_algorithm=algorithm
    )
    assert found.as_numpy("output-0").tolist() == [b"paris"]


def test_triton_may_be_in_a_hurry(triton: Any) -> None:
    """By its own parameter, in microseconds."""
    tensor = tritonclient.http.InferInput("text", [200], "BYTES")
    tensor.set_data_from_numpy(np.array(["The capital of France is [MASK]."] * 200, dtype=object))
    with pytest.raises(InferenceServerException, match="No answer within") as refused:
        triton.infer(PRESET, [tensor], headers=dict(KEY), timeout=1000)
    assert refused.value.status() == "408"


def test_triton_loads_and_unloads(triton: Any) -> None:
    """With an admin key, and with no other."""
    with pytest.raises(InferenceServerException, match="admin key"):
        triton.get_model_repository_index(headers=KEY)
    triton.unload_model(PRESET, headers=ADMIN)
    assert not triton.is_model_ready(PRESET, headers=KEY)
    triton.load_model(PRESET, headers=ADMIN)
    assert triton.is_model_ready(PRESET, headers=KEY)
    index = triton.get_model_repository_index(headers=ADMIN)
    assert [entry["name"] for entry in index if entry["state"] == "READY"] == [PRESET]


def test_triton_shows_why_a_model_cannot_be_loaded(triton: Any) -> None:
    """In the server's sentence."""
    with pytest.raises(InferenceServerException, match="no preset of that name"):
        triton.load_model("nobody", headers=ADMIN)
    with pytest.raises(InferenceServerException, match="not valid at parameters"):
        triton.load_model(PRESET, headers=ADMIN, config="{}")


def test_triton_aio_sees_the_same(server: RunningServer) -> None:
    """Its asynchronous client."""

    async def ask() -> None:
        url = server.url.removeprefix("http://")
        async with tritonclient.http.aio.InferenceServerClient(url) as client:
            assert await client.is_server_live()
            assert await client.is_server_ready()
            assert await client.is_model_ready(PRESET, headers=KEY)
            assert not await client.is_model_ready(ABSENT, headers=KEY)
            described = await client.get_model_metadata(PRESET, headers=KEY)
            assert described["versions"] == ["1"]
            await client.load_model(PRESET, headers=ADMIN)

    asyncio.run(ask())


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_kserve_sees_which_models_are_ready(server: RunningServer, protocol: str) -> None:
    """In both protocols."""

    async def ask() -> None:
        config = kserve.RESTConfig(protocol=protocol)
        async with kserve.InferenceRESTClient(config) as client:
            assert await client.is_model_ready(server.url, PRESET, headers=KEY)
            assert not await client.is_model_ready(server.url, ABSENT, headers=KEY)
            if protocol == "v2":
                assert await client.is_server_live(server.url, headers=KEY)
                assert await client.is_server_ready(server.url, headers=KEY)

    asyncio.run(ask())


def test_kserve_gets_what_its_own_runtime_answers(server: RunningServer) -> None:
    """Strings, without parameters."""

    async def ask() -> Any:
        async with kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1")) as client:
            body = {
                "instances": ["The capital of France is [MASK].", "The [MASK] of Italy is Rome."]
            }
            return await client.infer(server.url, body, PRESET, headers=KEY)

    assert asyncio.run(ask()) == {"predictions": ["paris", "capital"]}


def test_triton_grpc_sees_the_same(server: RunningServer) -> None:
    """Its client of gRPC: with the caller's key, and with an admin key what changes the server."""
    found = triton_grpc.run(triton_grpc.look_around, (server.grpc, PRESET, dict(KEY), dict(ADMIN)))
    for what in ("live", "ready", "model_ready", "version_ready", "unloaded"):
        assert found[what], what
    assert not found["nobody_ready"]
    assert found["server"]["name"] == "fillmask"
    outputs = [output["name"] for output in found["model"]["outputs"]]
    assert outputs == [output["name"] for output in found["config"]["output"]]
    assert found["model"]["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": ["-1"]}]
    assert [model["name"] for model in found["statistics"]] == [PRESET]
    assert "admin key" in found["index_refused"]
    assert "not valid at parameters" in found["own_refused"]
    assert "no preset of that name" in found["nobody_refused"]
    assert [model["name"] for model in found["index"] if model["state"] == "READY"] == [PRESET]
    assert "DEADLINE_EXCEEDED" in found["deadline"]
    assert found["packed"] == b"paris"
