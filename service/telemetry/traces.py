"""Whether there are traces: what makes them comes with an extra, and most do without it."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from fastapi.telemetry import TelemetryConfig

from service.pipeline import PipelineObserver
from service.settings import Settings


class Traces(Protocol):
    """What a server asks of traces."""

    @property
    def telemetry(self) -> TelemetryConfig:
        """What FastAPI is told of them: it makes the spans of the server."""
        ...

    def export(self) -> AbstractAsyncContextManager[None]:
        """Send spans for the length of a block."""
        ...

    def observe(self, observer: PipelineObserver) -> PipelineObserver:
        """Return an observer that makes spans of what it hears, and tells another one of it."""
        ...


class NoTraces:
    """No spans are made."""

    @property
    def telemetry(self) -> TelemetryConfig:
        """FastAPI would ask for its providers in every request, and nothing here provides any."""
        return {"tracing": False, "metrics": False, "logs": False}

    def export(self) -> AbstractAsyncContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def observe(self, observer: PipelineObserver) -> PipelineObserver:
        """Return the observer itself."""
        return observer


def create_traces(settings: Settings) -> Traces:
    """Return what the settings ask for."""
    if not settings.tracing:
        return NoTraces()
    # Its import takes long, and needs the extra.
    from service.telemetry.tracing import Tracing  # noqa: PLC0415

    return Tracing()
