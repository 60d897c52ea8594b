"""`/v2` and `/v2/models`: what the server is, and what goes into its models."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore
from model_store.errors import ModelLoadError


async def load(client: httpx.AsyncClient) -> None:
    """Have the default preset loaded."""
    assert (await client.post("/presets/tiny/load")).status_code == 200


async def test_server_says_what_it_is(client: httpx.AsyncClient) -> None:
    """Its version is that of the package."""
    answer = (await client.get("/v2")).json()
    assert answer["name"] == "fillmask"
    assert answer["version"] == (await client.get("/info")).json()["version"]
    assert "binary_tensor_data" in answer["extensions"]


async def test_server_lives(client: httpx.AsyncClient, store: FakeStore) -> None:
    """Whatever its models do."""
    store.errors["tiny"] = ModelLoadError("Broken.")
    assert (await client.get("/v2/health/live")).json() == {"live": True}


async def test_server_is_ready_when_it_answers(client: httpx.AsyncClient, store: FakeStore) -> None:
    """As `/readyz` has it."""
    store.errors["tiny"] = ModelLoadError("Broken.")
    refused = await client.get("/v2/health/ready")
    assert (refused.status_code, refused.json()["code"]) == (500, "model_load_failed")
    del store.errors["tiny"]
    ready = await client.get("/v2/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True})


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
async def test_probes_may_be_open(store: FakeStore, serve: Any, path: str) -> None:
    """As those of the native interface."""
    for is_open, status in ((True, 200), (False, 401)):
        async with serve(store, api_keys=("key",), open_probes=is_open) as client:
            del client.headers["authorization"]
            assert (await client.get(path)).status_code == status


@pytest.mark.parametrize("path", ["/v2/models/tiny", "/v2/models/tiny/versions/1"])
async def test_model_says_what_goes_in_and_comes_out(client: httpx.AsyncClient, path: str) -> None:
    """Loaded or not, and the outputs are those of an answer."""
    described = (await client.get(path)).json()
    assert described["versions"] == ["1"]
    assert described["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    body = {"inputs": [described["inputs"][0] | {"shape": [1], "data": ["the [MASK]"]}]}
    answer = (await client.post("/v2/models/tiny/infer", json=body)).json()
    assert [
        {"name": o["name"], "datatype": o["datatype"], "shape": [-1 for _ in o["shape"]]}
        for o in answer["outputs"]
    ] == described["outputs"]


@pytest.mark.parametrize("path", ["/v2/models/tiny/ready", "/v2/models/tiny/versions/1/ready"])
async def test_model_is_ready_when_it_is_loaded(client: httpx.AsyncClient, path: str) -> None:
    """Before, the answer is one of those that clients take for no."""
    before = await client.get(path)
    assert (before.status_code, before.json()["code"]) == (409, "preset_not_loaded")
    await load(client)
    assert (await client.get(path)).json() == {"name": "tiny", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/tiny/stats", "/v2/models/tiny/versions/1/stats"])
async def test_requests_are_counted(client: httpx.AsyncClient, path: str) -> None:
    """Those of one model, by whatever interface they came, and how long they took."""
    texts = ["the [MASK]", "a [MASK]"]
    await client.post("/fill-mask", json={"inputs": texts})
    await client.post("/v1/models/tiny:predict", json={"instances": ["no mask"]})
    await client.post("/v1/models/other:predict", json={"instances": texts})
    [model] = (await client.get(path)).json()["model_stats"]
    assert (model["name"], model["version"], model["inference_count"]) == ("tiny", "1", 2)
    for ended in ("success", "fail"):
        assert model["inference_stats"][ended]["count"] == 1
        assert model["inference_stats"][ended]["ns"] > 0


async def test_requests_are_counted_for_all(client: httpx.AsyncClient) -> None:
    """That are in memory: an entry each, as each says of itself."""
    assert (await client.get("/v2/models/stats")).json() == {"model_stats": []}
    for preset, texts in (("tiny", ["the [MASK]"] * 3), ("other", ["a [MASK]"])):
        await client.post("/fill-mask", json={"inputs": texts, "preset": preset})
    counted = (await client.get("/v2/models/stats")).json()["model_stats"]
    assert {model["name"]: model["inference_count"] for model in counted} == {"tiny": 3, "other": 1}
    for model in counted:
        alone = await client.get(f"/v2/models/{model['name']}/stats")
        assert alone.json() == {"model_stats": [model]}


@pytest.mark.parametrize("path", ["/v2/models/tiny/config", "/v2/models/tiny/versions/1/config"])
async def test_model_has_a_configuration(client: httpx.AsyncClient, path: str) -> None:
    """That says of its tensors what the metadata say, in Triton's words."""
    config = (await client.get(path)).json()
    described = (await client.get("/v2/models/tiny")).json()
    types = {"BYTES": "TYPE_STRING", "INT64": "TYPE_INT64", "FP32": "TYPE_FP32"}
    for side in ("input", "output"):
        assert config[side] == [
            {"name": t["name"], "data_type": types[t["datatype"]], "dims": t["shape"]}
            for t in described[f"{side}s"]
        ]
    assert (config["name"], config["platform"]) == ("tiny", described["platform"])
    assert config["max_batch_size"] == 0, "there is no dimension that is not in the shapes"


async def test_configuration_names_the_family_once_it_is_known(client: httpx.AsyncClient) -> None:
    """In the words that Triton has for what is no tensor."""
    assert (await client.get("/v2/models/tiny/config")).json()["parameters"] == {}
    await client.post("/fill-mask", json={"inputs": "the [MASK]"})
    config = (await client.get("/v2/models/tiny/config")).json()
    assert config["parameters"] == {"family": {"string_value": "bert"}}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/nobody",
        "/v2/models/nobody/ready",
        "/v2/models/nobody/stats",
        "/v2/models/nobody/config",
    ],
)
async def test_nobodys_model_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """As everywhere."""
    response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "preset_not_found")
