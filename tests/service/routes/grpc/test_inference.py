"""The methods beside `ModelInfer`: what the routes below `/v2` say, in messages."""

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from grpc import StatusCode

from fakes import FakeStore
from grpc_calls import ONE_MASK, Caller, infer_request, open_caller, refuse
from service.routes.grpc.wire import grpc_service_pb2 as wire


def as_json(answer: Any) -> Any:
    """Return an answer as JSON has it, its integers of 64 bits as strings."""
    return MessageToDict(answer, preserving_proto_field_name=True)


def with_strings(body: Any) -> Any:
    """Return a body of REST with its integers as protobuf's JSON has them."""
    if isinstance(body, dict):
        return {name: with_strings(value) for name, value in body.items() if value not in (0, "")}
    if isinstance(body, list):
        return [with_strings(value) for value in body]
    return str(body) if isinstance(body, int) and not isinstance(body, bool) else body


async def test_server_lives_and_is_ready(caller: Caller) -> None:
    """It answers, and its default preset does."""
    assert (await caller.ask("ServerLive")).live
    assert (await caller.ask("ServerReady")).ready


async def test_server_that_cannot_answer_is_not_ready(store: FakeStore, caller: Caller) -> None:
    """Which is no error of the call."""
    store.errors["tiny"] = ValueError()
    assert not (await caller.ask("ServerReady")).ready


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("ServerMetadata", "/v2"),
        ("ModelMetadata", "/v2/models/tiny"),
        ("ModelConfig", "/v2/models/tiny/config"),
        ("ModelStatistics", "/v2/models/tiny/stats"),
        ("ModelStatistics", "/v2/models/stats"),
    ],
)
async def test_answers_are_those_of_rest(caller: Caller, method: str, path: str) -> None:
    """Field by field."""
    await caller.start("ModelInfer", infer_request(ONE_MASK))
    fields = {"name": "tiny"} if "tiny" in path else {}
    answer = as_json(await caller.ask(method, **fields))
    answer = answer.get("config", answer)
    assert answer == with_strings((await caller.http.get(path)).json())


async def test_model_is_ready_once_it_is_loaded(caller: Caller) -> None:
    """Of its one version; what is not there is not ready."""
    assert not (await caller.ask("ModelReady", name="tiny")).ready
    await caller.start("ModelInfer", infer_request(ONE_MASK))
    assert (await caller.ask("ModelReady", name="tiny")).ready
    assert (await caller.ask("ModelReady", name="tiny", version="1")).ready
    assert not (await caller.ask("ModelReady", name="nobody")).ready


@pytest.mark.parametrize(
    "method", ["ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"]
)
async def test_a_model_has_one_version(caller: Caller, method: str) -> None:
    """Any other is not found."""
    request = getattr(wire, f"{method}Request")(name="tiny", version="2")
    refused = await refuse(caller.start(method, request))
    assert (refused.status, refused.code) == (StatusCode.NOT_FOUND, "preset_not_found")


async def test_presets_are_loaded_and_unloaded(caller: Caller, store: FakeStore) -> None:
    """The index tells how they stand meanwhile."""

    async def states(*, ready: bool = False) -> dict[str, str]:
        index = await caller.ask("RepositoryIndex", ready=ready)
        return {model.name: model.state for model in index.models}

    assert set((await states()).values()) == {"UNAVAILABLE"}
    await caller.ask("RepositoryModelLoad", model_name="tiny")
    await caller.ask("RepositoryModelLoad", model_name="tiny")
    assert await states(ready=True) == {"tiny": "READY"}
    unloaded = {"unload_dependents": wire.ModelRepositoryParameter(bool_param=False)}
    await caller.ask("RepositoryModelUnload", model_name="tiny", parameters=unloaded)
    assert await states(ready=True) == {}
    assert store.loads == ["tiny", "tiny"]


async def test_models_of_the_callers_own_are_refused(caller: Caller, store: FakeStore) -> None:
    """What is loaded is what lies in the store."""
    own = {"config": wire.ModelRepositoryParameter(string_param="{}")}
    request = wire.RepositoryModelLoadRequest(model_name="tiny", parameters=own)
    refused = await refuse(caller.start("RepositoryModelLoad", request))
    assert refused.code == "invalid_request"
    assert "at parameters" in refused.sentence
    assert store.loads == []


async def test_nobodys_preset_is_not_found(caller: Caller) -> None:
    """As everywhere."""
    for method in ("RepositoryModelLoad", "RepositoryModelUnload"):
        request = getattr(wire, f"{method}Request")(model_name="nobody")
        assert (await refuse(caller.start(method, request))).status is StatusCode.NOT_FOUND


async def test_what_is_not_served_is_said_so(caller: Caller) -> None:
    """Shared memory is one machine's, and an answer here is one message."""
    refused = await refuse(caller.start("SystemSharedMemoryStatus"))
    assert refused.status is StatusCode.UNIMPLEMENTED


async def test_addresses_of_ipv6_are_served(store: FakeStore, serve: Any) -> None:
    """As they are over HTTP."""
    async with open_caller(serve, store, host="::1") as caller:
        assert (await caller.ask("ServerLive")).live
