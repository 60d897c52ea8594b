"""`tritonclient.grpc`, in a process of its own.

It and `kserve` bring the same messages by files of different names, which protobuf does not take
in one process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np

Argument = TypeVar("Argument")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Call:
    """Texts to fill: where, by which model, how, and with which metadata."""

    address: str
    model: str
    texts: tuple[str, ...]
    parameters: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the client's own error tells."""

    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Tensors:
    """The outputs of an answer."""

    outputs: dict[str, Any]

    def as_numpy(self, name: str) -> Any:
        """Return an output, as the client's own answer does."""
        return self.outputs[name]


def run(function: Callable[[Argument], Found], argument: Argument) -> Found:
    """Return what a function of this module returns in a process that has no `kserve`."""
    return _pool().submit(function, argument).result()


@cache
def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


def ask(call: Call) -> Tensors | Refusal:
    """Ask with the client that waits."""
    import tritonclient.grpc  # noqa: PLC0415
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    with tritonclient.grpc.InferenceServerClient(call.address) as client:
        try:
            return _read(client.infer(**_arguments(call)))
        except InferenceServerException as error:
            return Refusal(error.status(), error.message())


def ask_aio(call: Call) -> Tensors | Refusal:
    """Ask with the asynchronous client."""
    import tritonclient.grpc.aio  # noqa: PLC0415
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    async def ask() -> Tensors | Refusal:
        async with tritonclient.grpc.aio.InferenceServerClient(call.address) as client:
            try:
                return _read(await client.infer(**_arguments(call)))
            except InferenceServerException as error:
                return Refusal(error.status(), error.message())

    return asyncio.run(ask())


def look_around(where: tuple[str, str, dict[str, str], dict[str, str]]) -> dict[str, Any]:
    """Ask all that is no prediction.

    Args:
        where: the address, a preset that is loaded, and the metadata of a caller and of an admin.
    """
    import tritonclient.grpc  # noqa: PLC0415
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    address, model, key, admin = where

    def refused(method: Callable[..., object], *arguments: object, **options: object) -> str:
        try:
            method(*arguments, **options)
        except InferenceServerException as error:
            return f"{error.status()}: {error.message()}"
        return "it is not"

    as_json = {"headers": key, "as_json": True}
    with tritonclient.grpc.InferenceServerClient(address) as client:
        found = {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready(model, headers=key),
            "version_ready": client.is_model_ready(model, "1", headers=key),
            "nobody_ready": client.is_model_ready("nobody", headers=key),
            "server": client.get_server_metadata(**as_json),
            "model": client.get_model_metadata(model, **as_json),
            "config": client.get_model_config(model, **as_json)["config"],
            "statistics": client.get_inference_statistics(model, **as_json)["model_stats"],
            "index_refused": refused(client.get_model_repository_index, headers=key),
            "own_refused": refused(client.load_model, model, headers=admin, config="{}"),
            "nobody_refused": refused(client.load_model, "nobody", headers=admin),
        }
        client.unload_model(model, headers=admin)
        found["unloaded"] = not client.is_model_ready(model, headers=key)
        client.load_model(model, headers=admin)
        found["index"] = client.get_model_repository_index(headers=admin, as_json=True)["models"]
        call = Call(address, model, ("The capital of France is [MASK].",) * 200, {}, key)
        hurry = _arguments(call) | {"client_timeout": 0.001}
        found["deadline"] = refused(client.infer, **hurry)
        packed = _arguments(call) | {"compression_algorithm": "gzip"}
        found["packed"] = client.infer(**packed).as_numpy("output-0").tolist()[0]
    return found


def _arguments(call: Call) -> dict[str, Any]:
    import tritonclient.grpc  # noqa: PLC0415

    tensor = tritonclient.grpc.InferInput("text", [len(call.texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(call.texts, dtype=object))
    return {
        "model_name": call.model,
        "inputs": [tensor],
        "headers": call.headers,
        "parameters": call.parameters,
    }


def _read(found: Any) -> Tensors:
    names = [output.name for output in found.get_response().outputs]
    return Tensors({name: found.as_numpy(name) for name in names})
