"""Callers that each send their next call when its answer is there, by clients that people have.

It runs in the environment of `make test-clients`, reads a job from its input and writes a report to
its output, JSON both.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from time import perf_counter
from typing import Any

import grpc
import numpy as np
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
import uvloop
from tritonclient.grpc import service_pb2, service_pb2_grpc

Ask = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class GrpcJob:
    """What to send.

    Attributes:
        client: a name in `CLIENTS`.
        http: where the server listens for HTTP.
        grpc: where it listens for gRPC.
        model: the preset.
        texts: one a call, in turn.
        callers: how many calls are under way.
        warm_seconds: how long to send before anything counts.
        seconds: how long to count.
    """

    client: str
    http: str
    grpc: str
    model: str
    texts: list[str]
    callers: int
    warm_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class GrpcReport:
    """How many answers came, and in how many seconds."""

    answers: int
    seconds: float


async def _use_stub(job: GrpcJob, work: Callable[[Ask], Awaitable[int]]) -> int:
    """Send messages by the stub alone, and read nothing of the answers."""
    async with grpc.aio.insecure_channel(job.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)

        async def ask(text: str) -> object:
            tensor = {"name": "text", "datatype": "BYTES", "shape": [1]}
            contents = {"bytes_contents": [text.encode()]}
            message = service_pb2.ModelInferRequest(
                model_name=job.model, inputs=[tensor | {"contents": contents}]
            )
            return await stub.ModelInfer(message)

        return await work(ask)


async def _use_triton_grpc(job: GrpcJob, work: Callable[[Ask], Awaitable[int]]) -> int:
    async with tritonclient.grpc.aio.InferenceServerClient(job.grpc) as client:
        return await work(_asker(job, client, tritonclient.grpc.InferInput))


async def _use_triton_http(job: GrpcJob, work: Callable[[Ask], Awaitable[int]]) -> int:
    async with tritonclient.http.aio.InferenceServerClient(
        job.http, conn_limit=job.callers
    ) as client:
        return await work(_asker(job, client, tritonclient.http.InferInput))


def _asker(job: GrpcJob, client: Any, make_input: Callable[..., Any]) -> Ask:
    """Return what asks and reads the answer."""

    async def ask(text: str) -> object:
        tensor = make_input("text", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([text], dtype=object))
        found = await client.infer(job.model, [tensor])
        return [found.as_numpy(name) for name in ("token", "token_str", "score")]

    return ask


CLIENTS = {
    "stub": _use_stub,
    "tritonclient.grpc.aio": _use_triton_grpc,
    "tritonclient.http.aio": _use_triton_http,
}


async def _count(job: GrpcJob, ask: Ask) -> int:
    """Return how many answers came while time counted."""
    texts: Iterator[str] = cycle(job.texts)
    starts = perf_counter() + job.warm_seconds
    ends = starts + job.seconds

    async def call() -> int:
        answers = 0
        while (now := perf_counter()) < ends:
            await ask(next(texts))
            answers += starts <= now
        return answers

    return sum(await asyncio.gather(*(call() for _ in range(job.callers))))


def main() -> None:
    """Do the job that comes in."""
    job = GrpcJob(**json.load(sys.stdin))

    async def work(ask: Ask) -> int:
        return await _count(job, ask)

    answers = uvloop.run(CLIENTS[job.client](job, work))
    print(json.dumps(asdict(GrpcReport(answers, job.seconds))))


if __name__ == "__main__":
    main()
