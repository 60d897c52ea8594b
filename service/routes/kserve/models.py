"""`/v2/models`: what goes into a preset and comes out of it, and whether it is loaded."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.errors.exceptions import PresetNotLoadedError
from service.routes.calls.dependencies import MetricsOf, PresetControlOf
from service.routes.calls.document import PRESET_ANSWERS, READY_ANSWERS
from service.routes.kserve.infer_response import OUTPUTS, VERSION

_INPUT = "text"
_NANOSECONDS = 1_000_000_000

router = APIRouter(tags=["open inference"], prefix="/v2/models/{name}")


class TensorMetadata(BaseModel):
    """A tensor that goes in or comes out."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1 where the request decides.")


class ModelMetadata(BaseModel):
    """What goes into a preset, and comes out of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "minilm_l6_en_uncased",
                    "versions": ["1"],
                    "platform": "fillmask",
                    "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
                    "outputs": [{"name": "token_str", "datatype": "BYTES", "shape": [-1, -1]}],
                }
            ]
        }
    )

    name: str
    versions: list[str] = Field(description="`1`, always.")
    platform: str = Field(description="`fillmask`.")
    inputs: list[TensorMetadata] = Field(description="The texts; any name will do.")
    outputs: list[TensorMetadata] = Field(description="What `POST /v2/models/{name}/infer` tells.")


class ModelReady(BaseModel):
    """The answer of a preset that is loaded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "minilm_l6_en_uncased", "ready": True}]}
    )

    name: str
    ready: bool


class Duration(BaseModel):
    """Some requests, and how long they took."""

    count: int = Field(description="How many.")
    ns: int = Field(description="Nanoseconds of all of them together.")


class InferenceStatistics(BaseModel):
    """How requests ended."""

    success: Duration = Field(description="Those that were answered.")
    fail: Duration = Field(description="Those that were refused, or given up by their callers.")


class ModelStatistics(BaseModel):
    """How the requests for a preset went, by whatever interface they came."""

    name: str
    version: str = Field(description="`1`, always.")
    inference_count: int = Field(description="Texts that the engine ran, each its rounds.")
    inference_stats: InferenceStatistics


class Statistics(BaseModel):
    """The answer of one preset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_stats": [
                        {
                            "name": "minilm_l6_en_uncased",
                            "version": "1",
                            "inference_count": 3,
                            "inference_stats": {
                                "success": {"count": 2, "ns": 41_000_000},
                                "fail": {"count": 0, "ns": 0},
                            },
                        }
                    ]
                }
            ]
        }
    )

    model_stats: list[ModelStatistics]


@router.head("", include_in_schema=False)
@router.get("", responses=PRESET_ANSWERS)
@router.head(f"/versions/{VERSION}", include_in_schema=False)
@router.get(f"/versions/{VERSION}", include_in_schema=False)
async def describe_tensors(name: str, control: PresetControlOf) -> ModelMetadata:
    """Say what goes into a preset, and comes out of it."""
    preset = await control.describe(name)
    return ModelMetadata(
        name=preset.name,
        versions=[VERSION],
        platform="fillmask",
        inputs=[TensorMetadata(name=_INPUT, datatype="BYTES", shape=[-1])],
        outputs=[
            TensorMetadata(name=name, datatype=form.datatype, shape=[-1] * form.dimensions)
            for name, form in OUTPUTS.items()
        ],
    )


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses=READY_ANSWERS)
@router.head(f"/versions/{VERSION}/ready", include_in_schema=False)
@router.get(f"/versions/{VERSION}/ready", include_in_schema=False)
async def check_model(name: str, control: PresetControlOf) -> ModelReady:
    """Say that a preset is loaded."""
    preset = await control.describe(name)
    if preset.state != "ready":
        raise PresetNotLoadedError
    return ModelReady(name=name, ready=True)


@router.head("/stats", include_in_schema=False)
@router.get("/stats", responses=PRESET_ANSWERS)
@router.head(f"/versions/{VERSION}/stats", include_in_schema=False)
@router.get(f"/versions/{VERSION}/stats", include_in_schema=False)
async def count_inferences(name: str, control: PresetControlOf, metrics: MetricsOf) -> Statistics:
    """Say how the requests for a preset went since the server started."""
    await control.describe(name)
    tally = await metrics.tally(name)
    model = ModelStatistics(
        name=name,
        version=VERSION,
        inference_count=tally.rows,
        inference_stats=InferenceStatistics(
            success=Duration(count=tally.answered, ns=_to_ns(tally.answered_s)),
            fail=Duration(count=tally.refused, ns=_to_ns(tally.refused_s)),
        ),
    )
    return Statistics(model_stats=[model])


def _to_ns(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
