"""Traces, as a real collector gets them."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fakes import FakeStore, Gate
from otlp_collector import Collector, collect
from service.settings import Settings
from service.telemetry import tracing
from service.telemetry.logs import configure_logs
from service.telemetry.tracing import Stage, record_stages

BODY = {"inputs": "the [MASK]"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SECRET = "xyzzy"  # noqa: S105  # it stands for one


@pytest.fixture(autouse=True)
def _no_variables_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what whoever runs the tests traces out of them, and proxies too."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


STAGES = ("tokenization", "queue", "inference")


async def test_request_that_is_refused_has_no_stages(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """There is nothing to show of what did not happen."""
    async with serve(store, tracing=True) as client:
        await client.post("/fill-mask", json={"inputs": "no mask"})
    assert set(collector.spans) == {"POST /fill-mask"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Return a collector to which the environment leads."""
    with collect() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setattr(tracing, "_PATIENCE_S", 60.0)  # one that is slow is not down
        yield collector


async def test_trace_of_the_caller_goes_on(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """The server's span is a child of the caller's, and the stages follow each other in it."""
    async with serve(store, tracing=True) as client:
        await client.post("/fill-mask", json=BODY, headers=TRACEPARENT)
    server = collector.spans["POST /fill-mask"]
    stages = [collector.spans[name] for name in STAGES]
    assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, PARENT)
    assert {(s.trace_id.hex(), s.parent_span_id) for s in stages} == {(TRACE, server.span_id)}
    times = [time for s in stages for time in (s.start_time_unix_nano, s.end_time_unix_nano)]
    assert times == sorted(times)
    assert server.start_time_unix_nano <= times[0]
    assert times[-1] <= server.end_time_unix_nano
    assert collector.service_names == {"fillmask"}


async def test_trace_that_begins_here_is_in_every_event(
    store: FakeStore, serve: Any, collector: Collector, read_log: Any
) -> None:
    """From the log to the trace, and back."""
    configure_logs(Settings())
    async with serve(store, tracing=True, access_log=True) as client:
        await client.post("/fill-mask", json=BODY)
    events = read_log()
    assert [event["event"] for event in events][:2] == ["preset_loaded", "request"]
    assert {e["trace_id"] for e in events[:2]} == {
        collector.spans["POST /fill-mask"].trace_id.hex()
    }


async def test_metrics_hear_what_spans_are_made_of(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """Who wants the one need not give up the other."""
    async with serve(store, tracing=True) as client:
        await client.post("/fill-mask", json=BODY)
        metrics = (await client.get("/metrics")).text
    assert "fill_mask_tokenization_duration_seconds_count 1.0" in metrics
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 1.0' in metrics
    assert set(collector.spans) == {"POST /fill-mask", "GET /metrics", *STAGES}


async def test_environment_names_the_service(
    store: FakeStore, serve: Any, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several may be told from the others."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "masks-eu")
    async with serve(store, tracing=True) as client:
        await client.get("/healthz")
    assert collector.service_names == {"masks-eu"}


async def test_nothing_is_sent_where_nobody_asked_for_it(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """Even where the environment says where to."""
    async with serve(store) as client:
        await client.post("/fill-mask", json=BODY, headers=TRACEPARENT)
    assert collector.requests == []


async def test_span_holds_nothing_that_callers_send(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """No path, no query, no header and no text; errors by their class."""
    store.errors["tiny"] = RuntimeError(SECRET)
    headers = {"authorization": SECRET, "user-agent": SECRET}
    async with serve(store, tracing=True) as client:
        for path in ("/fill-mask", f"/models/{SECRET}", f"/{SECRET}"):
            url = f"{path}?q={SECRET}"
            await client.post(url, json={"inputs": f"{SECRET} [MASK]"}, headers=headers)
    assert set(collector.spans) == {"POST /fill-mask", "POST /models/{preset}", "POST"}
    failed = {
        each.key: each.value.string_value for each in collector.spans["POST /fill-mask"].attributes
    }
    assert failed["error.type"] == "RuntimeError"
    assert failed["http.route"] == "/fill-mask"
    assert SECRET not in str(collector.requests)


async def test_collector_that_is_down_fails_no_request_and_delays_no_end(
    store: FakeStore,
    serve: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Spans are lost then, and nothing else; the end does not wait for all that could be tried."""
    with collect() as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.url)
    monkeypatch.setattr(tracing, "_PATIENCE_S", 0.01)
    async with serve(store, tracing=True) as client:
        answers = [await client.post("/fill-mask", json=BODY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert caplog.text.count("retrying") <= 1


async def test_collector_that_hangs_delays_no_request(
    store: FakeStore, serve: Any, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of its own waits for it."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    with Gate() as collector.gate:
        async with serve(store, tracing=True) as client:
            await client.get("/healthz")
            await collector.gate.reached()
            answer = await client.post("/fill-mask", json=BODY)
            collector.gate.open()
    assert answer.status_code == 200
    assert "POST /fill-mask" in collector.spans


def test_stages_are_children_of_the_current_span() -> None:
    """With the times that they are said to have."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("request") as request:
        record_stages(tracer, [Stage("queue", 1_000, 3_000), Stage("inference", 3_000, 9_000)])
    queue, inference, _ = spans.get_finished_spans()
    assert (queue.name, queue.start_time, queue.end_time) == ("queue", 1_000, 3_000)
    assert (inference.name, inference.start_time, inference.end_time) == ("inference", 3_000, 9_000)
    for stage in (queue, inference):
        assert stage.parent
        assert stage.parent.span_id == request.get_span_context().span_id


async def test_traces_of_a_remote_caller_are_kept_as_it_decided(
    store: FakeStore, serve: Any, collector: Collector
) -> None:
    """What a caller does not sample is not sent."""
    async with serve(store, tracing=True) as client:
        unsampled = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
        answer = await client.post("/fill-mask", json=BODY, headers=unsampled)
    assert answer.status_code == 200
    assert collector.requests == []
