"""What Hugging Face's clients ask of an endpoint beside its task: its health, and what it is.

They write `/health` and `/info` behind the address that they were given, be it that of the server
or that of a preset. `GET /info` is the server's own.
"""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.errors.exceptions import PresetNotLoadedError
from service.errors.table import error_response
from service.routes.calls.dependencies import PresetControlOf, ReadinessOf, SettingsOf
from service.routes.calls.document import PRESET_ANSWERS, READY_ANSWERS
from service.routes.schemas import ProbeAnswer

router = APIRouter(tags=["hugging face"])


class EndpointInfo(BaseModel):
    """A preset, under the names of text-embeddings-inference."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_id": "minilm_l6_en_uncased",
                    "model_dtype": "bfloat16",
                    "model_pipeline_tag": "fill-mask",
                    "max_client_batch_size": 256,
                    "version": "0.1.0",
                }
            ]
        }
    )

    model_id: str = Field(description="The preset.")
    model_dtype: str | None = Field(description="In what precision it runs; null unless loaded.")
    model_pipeline_tag: Literal["fill-mask"] = Field(description="The task that it answers.")
    max_client_batch_size: int = Field(description="How many texts one request may have.")
    version: str = Field(description="Of fillmask.")


@router.head("/health", response_model=ProbeAnswer, include_in_schema=False)
@router.get("/health", response_model=ProbeAnswer, include_in_schema=False)
async def check_default(readiness: ReadinessOf) -> ProbeAnswer | Response:
    """Do as `GET /readyz` does."""
    error = await readiness.check()
    return error_response(error) if error else ProbeAnswer(status="ready")


@router.head("/models/{preset:path}/health", include_in_schema=False)
@router.get("/models/{preset:path}/health", responses=READY_ANSWERS)
async def check_preset(preset: str, control: PresetControlOf) -> ProbeAnswer:
    """Say that a preset is loaded, as `InferenceClient.health_check` asks."""
    found = await control.describe(preset)
    if found.state != "ready":
        raise PresetNotLoadedError
    return ProbeAnswer(status="ready")


@router.head("/models/{preset:path}/info", include_in_schema=False)
@router.get("/models/{preset:path}/info", responses=PRESET_ANSWERS)
async def describe_endpoint(
    preset: str, request: Request, control: PresetControlOf, settings: SettingsOf
) -> EndpointInfo:
    """Say what answers for a preset, as `InferenceClient.get_endpoint_info` asks."""
    found = await control.describe(preset)
    return EndpointInfo(
        model_id=found.name,
        model_dtype=found.precision,
        model_pipeline_tag="fill-mask",
        max_client_batch_size=settings.max_inputs,
        version=request.app.version,
    )
