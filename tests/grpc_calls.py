"""Calls of gRPC, by a client that knows the messages and nothing more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import httpx
import numpy as np

from e2e.running_server import reserved_port
from fakes import FakeStore
from keys import ADMIN_KEY
from service.routes.grpc.wire import grpc_service_pb2 as wire
from service.routes.kserve.tensor_bytes import dump_texts, load_texts

SERVICE = "/inference.GRPCInferenceService/"
_CONTENTS = {"BYTES": "bytes_contents", "INT64": "int64_contents", "FP32": "fp32_contents"}
_DTYPES = {"INT64": "<i8", "FP32": "<f4"}
ONE_MASK = "The capital of France is [MASK]."


class Caller:
    """Calls one server, by gRPC and over HTTP."""

    def __init__(
        self,
        channel: Any,
        http: httpx.AsyncClient,
        address: str = "",
        end: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Show an admin key, unless told otherwise; `end` ends the server."""
        self.channel = channel
        self.http = http
        self.address = address
        self.end = end or asyncio.Event().wait

    def start(
        self,
        method: str,
        request: Any = None,
        *,
        key: str | None = ADMIN_KEY,
        timeout: float | None = None,  # gRPC's own
        **metadata: str,
    ) -> Any:
        """Start a call of a method with a message, an empty one if none is given."""
        headers = {name.replace("_", "-"): value for name, value in metadata.items()}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        call = self.channel.unary_unary(
            SERVICE + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(wire, f"{method}Response").FromString,
        )
        request = getattr(wire, f"{method}Request")() if request is None else request
        return call(request, metadata=tuple(headers.items()), timeout=timeout)

    async def ask(self, method: str, **fields: Any) -> Any:
        """Return the answer to a message of some fields."""
        return await self.start(method, getattr(wire, f"{method}Request")(**fields))

    async def counted(self, metric: str) -> float:
        """Return the value of a metric with its labels, or 0 where nothing was counted."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(metric))

    async def wait_until_counted(self, metric: str) -> None:
        """Return once something is counted: nobody tells a caller who has hung up."""
        while not await self.counted(metric):  # noqa: ASYNC110  # no event crosses the socket
            await asyncio.sleep(0.001)


class Refused:
    """What a caller is told whose call is refused."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        """Read an error."""
        self.status = error.code()
        self.sentence = error.details()
        self.metadata = dict(error.trailing_metadata())
        self.code = self.metadata.get("code")


async def refuse(call: Any) -> Refused:
    """Return how a call is refused."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Refused(error)
    message = f"it is answered: {answer}"
    raise AssertionError(message)


def infer_request(*texts: str, **fields: Any) -> Any:
    """Return a request to fill texts, sent as they are."""
    contents = {"bytes_contents": [text.encode() for text in texts]}
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "contents": contents}
    return wire.ModelInferRequest(**{"model_name": "tiny", "inputs": [tensor]} | fields)


def parameter(value: object) -> Any:
    """Return a parameter as a message has it."""
    kind = {bool: "bool_param", int: "int64_param", str: "string_param"}[type(value)]
    return wire.InferParameter(**{kind: value})


def parameters(**values: object) -> dict[str, Any]:
    """Return parameters as a message has them."""
    return {name: parameter(value) for name, value in values.items()}


def raw_request(*texts: str, **fields: Any) -> Any:
    """Return a request to fill texts, sent as bytes."""
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)]}
    sent = {"inputs": [tensor], "raw_input_contents": [dump_texts(texts)]}
    return infer_request(**sent | fields)


def read_message(answer: Any) -> dict[str, Any]:
    """Return the outputs of an answer by name, as REST has them."""
    found = {}
    raw = list(answer.raw_output_contents)
    assert len(raw) in {0, len(answer.outputs)}
    for index, output in enumerate(answer.outputs):
        if raw:
            assert not output.HasField("contents")
            values = _read_bytes(output, raw[index])
        else:
            values = list(getattr(output.contents, _CONTENTS[output.datatype]))
            if output.datatype == "BYTES":
                values = [value.decode() for value in values]
        found[output.name] = {
            "name": output.name,
            "datatype": output.datatype,
            "shape": list(output.shape),
            "data": values,
        }
    return found


def _read_bytes(output: Any, content: bytes) -> list[Any]:
    """Return the values of an output that are bytes."""
    if output.datatype == "BYTES":
        return load_texts(content, int(np.prod(output.shape)))
    values: list[Any] = np.frombuffer(content, _DTYPES[output.datatype]).tolist()
    return values


@asynccontextmanager
async def open_caller(serve: Any, store: FakeStore, **settings: Any) -> AsyncIterator[Caller]:
    """Start a server of a store and settings, for the length of a block."""
    host = settings.get("host", "127.0.0.1")
    with reserved_port(host) as port:
        address = f"[::1]:{port}" if host == "::1" else f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(address) as channel, AsyncExitStack() as server:
            http = await server.enter_async_context(serve(store, grpc_port=port, **settings))
            yield Caller(channel, http, address, server.aclose)
