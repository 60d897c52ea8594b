"""What routes get from the application that they are in.

All of it by coroutines: FastAPI runs plain functions in threads, one hop for each of them.
"""

from typing import Annotated

from fastapi import Depends, Request

from service.metrics import Metrics
from service.pipeline import Pipeline
from service.preset_states import PresetStates
from service.settings import Settings


async def _get_pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


async def _get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _get_metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def _get_preset_states(request: Request) -> PresetStates:
    states: PresetStates = request.app.state.preset_states
    return states


PipelineOf = Annotated[Pipeline, Depends(_get_pipeline)]
SettingsOf = Annotated[Settings, Depends(_get_settings)]
MetricsOf = Annotated[Metrics, Depends(_get_metrics)]
PresetStatesOf = Annotated[PresetStates, Depends(_get_preset_states)]
