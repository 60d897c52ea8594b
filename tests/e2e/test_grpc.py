"""Real servers that are called by gRPC: by one process, by several, and at the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from e2e.running_server import (
    PATIENCE_S,
    STOP_TIMEOUT_S,
    RunningServer,
    reserved_port,
    start_server,
)
from e2e.test_workers import wait_until
from grpc_calls import SERVICE, infer_request
from service.routes.grpc.wire import grpc_service_pb2 as wire

PRESET = "minilm_l6_en_uncased"
SENTENCE = "The capital of France is [MASK]."


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of two workers, both of which answer on one port of gRPC."""
    with start(tmp_path_factory.mktemp("grpc"), FILLMASK_WORKERS="2") as running:
        yield running


@contextmanager
def start(path: Path, **env: str) -> Iterator[RunningServer]:
    """Start a server with a port for gRPC."""
    with reserved_port() as port:
        env |= {"FILLMASK_GRPC_PORT": str(port), "FILLMASK_OFFLINE": "1"}
        with start_server(env, path) as running:
            yield running


def connect(server: RunningServer, number: int = 0) -> Any:
    """Return a channel with a connection of its own."""
    return grpc.insecure_channel(server.grpc, options=[("fillmask.number", number)])


def ask(channel: Any, method: str, request: Any) -> Any:
    """Call a method, and return its answer once it is there."""
    call = channel.unary_unary(
        SERVICE + method,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=getattr(wire, f"{method}Response").FromString,
    )
    return call.future(request, timeout=PATIENCE_S)


def read_tokens(answer: Any) -> list[tuple[int, float]]:
    """Return the predictions of the only mask."""
    outputs = {output.name: output.contents for output in answer.outputs}
    contents = outputs["token"].int64_contents, outputs["score"].fp32_contents
    return list(zip(*contents, strict=True))


def test_every_worker_answers_as_over_http(workers: RunningServer) -> None:
    """Whichever has a connection."""
    body = {"inputs": SENTENCE}
    url = f"{workers.url}/fill-mask"
    native = httpx.post(url, json=body, timeout=PATIENCE_S, trust_env=False).json()
    expected = [
        (each["token"], pytest.approx(each["score"], rel=1e-5))
        for each in native["results"][0]["masks"][0]["predictions"]
    ]
    for number in range(8):
        with connect(workers, number) as channel:
            answer = ask(channel, "ModelInfer", infer_request(SENTENCE, model_name=PRESET))
            assert read_tokens(answer.result()) == expected
            status = HealthStub(channel).Check(HealthCheckRequest(), timeout=PATIENCE_S).status
            assert status == HealthCheckResponse.SERVING
    counted = f'fill_mask_http_responses_total{{route="{SERVICE}ModelInfer",status="200"}} 8.0'
    wait_until(lambda: counted in read_metrics(workers))


def test_calls_under_way_are_answered_at_the_end(tmp_path: Path) -> None:
    """Who watches is told of it, and the log has events and nothing else."""
    few = {"FILLMASK_MAX_BATCH_TOKENS": "1024"}  # so that most of its texts wait
    with start(tmp_path, **few) as running, connect(running) as channel:
        watched = HealthStub(channel).Watch(HealthCheckRequest())
        assert next(watched).status == HealthCheckResponse.SERVING
        request = infer_request(*[SENTENCE + " the" * 400] * 24, model_name=PRESET)
        call = ask(channel, "ModelInfer", request)
        while "fill_mask_queue_size 0.0" in read_metrics(running):
            assert not call.done()
        running.process.terminate()
        assert len(call.result().outputs) == 5
        assert watched.code() is grpc.StatusCode.UNAVAILABLE
        assert running.process.wait(STOP_TIMEOUT_S) == 0
        for line in running.output.read_text().splitlines():
            json.loads(line)


def read_metrics(server: RunningServer) -> str:
    """Return what a server has counted."""
    return httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S, trust_env=False).text
