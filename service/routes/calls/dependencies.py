"""What routes get from the application that they are in.

All of it by coroutines: FastAPI runs plain functions in threads, one hop for each of them.
"""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from service.models.preset_control import PresetBoard, PresetControl
from service.pipeline import PipelineObserver
from service.routes.operations.readiness import Readiness
from service.settings import Settings
from service.telemetry.tally import Tally


class MetricsBoard(PipelineObserver, Protocol):
    """What counts, and shows what was counted."""

    @property
    def content_type(self) -> str:
        """The format of what is shown."""
        ...

    def observe_invalid_request(self) -> None:
        """Count a fill-mask request whose body was refused before a preset was looked up."""
        ...

    def observe_response(self, route: str, status: int) -> None:
        """Count an answer, whoever gave it."""
        ...

    async def tally(self, preset: str) -> Tally:
        """Return how the requests for a preset went."""
        ...

    async def expose(self) -> bytes:
        """Return every metric of the service."""
        ...


async def _get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _get_metrics(request: Request) -> MetricsBoard:
    metrics: MetricsBoard = request.app.state.metrics
    return metrics


async def _get_readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


async def _get_preset_states(request: Request) -> PresetBoard:
    states: PresetBoard = request.app.state.preset_states
    return states


async def _get_preset_control(request: Request) -> PresetControl:
    control: PresetControl = request.app.state.preset_control
    return control


SettingsOf = Annotated[Settings, Depends(_get_settings)]
MetricsOf = Annotated[MetricsBoard, Depends(_get_metrics)]
ReadinessOf = Annotated[Readiness, Depends(_get_readiness)]
PresetStatesOf = Annotated[PresetBoard, Depends(_get_preset_states)]
PresetControlOf = Annotated[PresetControl, Depends(_get_preset_control)]
