"""Traces of requests, sent in OTLP over HTTP. The only importer of opentelemetry.

The variables `OTEL_*` of OpenTelemetry itself say where they go and which are kept.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import time_ns
from typing import NamedTuple

from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer, format_trace_id
from structlog.contextvars import bind_contextvars

from service.pipeline import PipelineObserver, RequestRecord, Timings

_PATIENCE_S = 3.0
"""For how long the end of the server waits for a collector that does not answer."""

_REMOVED = "REMOVED"
_NANOSECONDS = 1_000_000_000


class Stage(NamedTuple):
    """A part of a request: from and until when, in nanoseconds since the epoch."""

    name: str
    start_ns: int
    end_ns: int


class Tracing:
    """Makes spans, and sends them while it is told to."""

    def __init__(self) -> None:
        """Make spans that go nowhere yet."""
        # What the environment says of the service goes before our own name for it.
        named = Resource({SERVICE_NAME: "fillmask"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(
            resource=Resource.create(named.attributes), shutdown_on_exit=False
        )
        self._provider.add_span_processor(_ServerSpanProcessor())

    @property
    def telemetry(self) -> TelemetryConfig:
        """What FastAPI is told: one span a request, without those of its own parts."""
        return {
            "tracer_provider": self._provider,
            "tracing": True,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        }

    @asynccontextmanager
    async def export(self) -> AsyncIterator[None]:
        """Send spans, from a thread, for the length of a block; the last ones at its end."""
        exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        try:
            yield
        finally:
            await asyncio.to_thread(_shut_down, self._provider, exporter)

    def observe(self, observer: PipelineObserver) -> PipelineObserver:
        """Return an observer that makes spans of stages, and tells another one of them."""
        return _StageObserver(observer, self._provider.get_tracer("fillmask"))


def line_up(timings: Timings, end_ns: int) -> Iterable[Stage]:
    """Yield the stages of a request that was answered just then, the last one first.

    They follow one another, and what lies between them is too little to be drawn.
    """
    for name in ("inference", "queue", "tokenization"):
        start_ns = end_ns - round(getattr(timings, name) * _NANOSECONDS)
        yield Stage(name, start_ns, end_ns)
        end_ns = start_ns


def record_stages(tracer: Tracer, stages: Iterable[Stage]) -> None:
    """Make each stage a child of the span that is current."""
    for name, start_ns, end_ns in stages:
        tracer.start_span(name, start_time=start_ns).end(end_ns)


class _StageObserver:
    """Makes spans of what it hears, and passes all of it on."""

    def __init__(self, observer: PipelineObserver, tracer: Tracer) -> None:
        self._tracer = tracer
        self._observer = observer

    def observe_request(self, record: RequestRecord) -> None:
        # The request itself has the span of the server.
        if record.timings:
            record_stages(self._tracer, line_up(record.timings, time_ns()))
        self._observer.observe_request(record)

    def observe_tokenization(self, seconds: float) -> None:
        self._observer.observe_tokenization(seconds)


class _ServerSpanProcessor(SpanProcessor):
    """Takes out of a server's span what a caller wrote, and has its trace named in the log."""

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # the SDK's signature
    ) -> None:
        bind_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id))
        for name in ("url.path", "url.query"):
            if name in (span.attributes or {}):
                span.set_attribute(name, _REMOVED)


def _shut_down(provider: TracerProvider, exporter: OTLPSpanExporter) -> None:
    give_up = threading.Timer(_PATIENCE_S, exporter.shutdown)
    give_up.start()
    provider.shutdown()
    give_up.cancel()
