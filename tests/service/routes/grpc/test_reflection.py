"""gRPC's reflection service, by its own stub: what is served, to who has a key."""

from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from fakes import FakeStore
from grpc_calls import Caller, open_caller


async def reflect(caller: Caller, **fields: str) -> Any:
    """Return what a server says of itself."""
    call = ServerReflectionStub(caller.channel).ServerReflectionInfo(
        iter([ServerReflectionRequest(**fields)]), metadata=(("authorization", "Bearer key"),)
    )
    return await call.read()


async def test_services_are_listed(caller: Caller) -> None:
    """All three."""
    listed = await reflect(caller, list_services="")
    assert {service.name for service in listed.list_services_response.service} == {
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


async def test_messages_are_described(caller: Caller) -> None:
    """As the published file has them."""
    found = await reflect(caller, file_containing_symbol="inference.GRPCInferenceService")
    files = [
        FileDescriptorProto.FromString(content)
        for content in found.file_descriptor_response.file_descriptor_proto
    ]
    assert "grpc_service.proto" in {file.name for file in files}


async def test_who_has_no_key_is_refused(store: FakeStore, serve: Any) -> None:
    """It tells what the server can do."""
    async with open_caller(serve, store, api_keys=("other",)) as caller:
        call = ServerReflectionStub(caller.channel).ServerReflectionInfo(iter([]))
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
