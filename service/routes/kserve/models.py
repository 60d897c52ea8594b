"""`/v2/models`: what goes into a preset and comes out of it, and whether it is loaded."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.errors.exceptions import PresetNotLoadedError
from service.routes.calls.dependencies import MetricsOf, PresetControlOf, PresetStatesOf
from service.routes.calls.document import PRESET_ANSWERS, READY_ANSWERS
from service.routes.kserve.infer_response import OUTPUTS, VERSION
from service.telemetry.tally import Tally

_INPUT = "text"
_PLATFORM = "fillmask"
_TYPES = {"BYTES": "TYPE_STRING", "INT64": "TYPE_INT64", "FP32": "TYPE_FP32"}
_NANOSECONDS = 1_000_000_000

router = APIRouter(tags=["open inference"], prefix="/v2/models")


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


class TensorConfig(BaseModel):
    """A tensor that goes in or comes out, as Triton's configurations name it."""

    name: str
    data_type: str = Field(description="`TYPE_STRING`, `TYPE_INT64` or `TYPE_FP32`.")
    dims: list[int] = Field(description="-1 where the request decides.")


class ParameterConfig(BaseModel):
    """What is said of a model beside its tensors, as Triton writes it."""

    string_value: str


class ModelConfig(BaseModel):
    """What Triton's clients look up before they ask."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "minilm_l6_en_uncased",
                    "platform": "fillmask",
                    "backend": "fillmask",
                    "max_batch_size": 0,
                    "input": [{"name": "text", "data_type": "TYPE_STRING", "dims": [-1]}],
                    "output": [{"name": "score", "data_type": "TYPE_FP32", "dims": [-1, -1]}],
                    "parameters": {"family": {"string_value": "bert"}},
                }
            ]
        }
    )

    name: str
    platform: str = Field(description="`fillmask`.")
    backend: str = Field(description="`fillmask`.")
    max_batch_size: int = Field(description="0: a request is one batch, of the shape it has.")
    input: list[TensorConfig] = Field(description="The texts; any name will do.")
    output: list[TensorConfig] = Field(description="What `POST /v2/models/{name}/infer` tells.")
    parameters: dict[str, ParameterConfig] = Field(
        description="`family`, as `GET /presets` has it; empty where that is not known."
    )


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
    """The answer of one preset, or of all that are loaded."""

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


# Before the paths with a name, of which this would be one.
@router.head("/stats", include_in_schema=False)
@router.get("/stats")
async def count_all_inferences(states: PresetStatesOf, metrics: MetricsOf) -> Statistics:
    """Say how the requests for every preset went that is in memory."""
    loaded = [preset.name for preset in await states.describe_all() if preset.state == "ready"]
    tallies = [_write_tally(name, await metrics.tally(name)) for name in loaded]
    return Statistics(model_stats=tallies)


@router.head("/{name}", include_in_schema=False)
@router.get("/{name}", responses=PRESET_ANSWERS)
@router.head(f"/{{name}}/versions/{VERSION}", include_in_schema=False)
@router.get(f"/{{name}}/versions/{VERSION}", include_in_schema=False)
async def describe_tensors(name: str, control: PresetControlOf) -> ModelMetadata:
    """Say what goes into a preset, and comes out of it."""
    preset = await control.describe(name)
    return ModelMetadata(
        name=preset.name,
        versions=[VERSION],
        platform=_PLATFORM,
        inputs=[TensorMetadata(name=_INPUT, datatype="BYTES", shape=[-1])],
        outputs=[
            TensorMetadata(name=name, datatype=form.datatype, shape=[-1] * form.dimensions)
            for name, form in OUTPUTS.items()
        ],
    )


@router.head("/{name}/ready", include_in_schema=False)
@router.get("/{name}/ready", responses=READY_ANSWERS)
@router.head(f"/{{name}}/versions/{VERSION}/ready", include_in_schema=False)
@router.get(f"/{{name}}/versions/{VERSION}/ready", include_in_schema=False)
async def check_model(name: str, control: PresetControlOf) -> ModelReady:
    """Say that a preset is loaded."""
    preset = await control.describe(name)
    if preset.state != "ready":
        raise PresetNotLoadedError
    return ModelReady(name=name, ready=True)


@router.head("/{name}/stats", include_in_schema=False)
@router.get("/{name}/stats", responses=PRESET_ANSWERS)
@router.head(f"/{{name}}/versions/{VERSION}/stats", include_in_schema=False)
@router.get(f"/{{name}}/versions/{VERSION}/stats", include_in_schema=False)
async def count_inferences(name: str, control: PresetControlOf, metrics: MetricsOf) -> Statistics:
    """Say how the requests for a preset went since the server started."""
    await control.describe(name)
    return Statistics(model_stats=[_write_tally(name, await metrics.tally(name))])


@router.head("/{name}/config", include_in_schema=False)
@router.get("/{name}/config", responses=PRESET_ANSWERS)
@router.head(f"/{{name}}/versions/{VERSION}/config", include_in_schema=False)
@router.get(f"/{{name}}/versions/{VERSION}/config", include_in_schema=False)
async def describe_config(name: str, control: PresetControlOf) -> ModelConfig:
    """Say what goes into a preset and comes out of it, as Triton configures models."""
    preset = await control.describe(name)
    return ModelConfig(
        name=preset.name,
        platform=_PLATFORM,
        backend=_PLATFORM,
        max_batch_size=0,
        input=[TensorConfig(name=_INPUT, data_type=_TYPES["BYTES"], dims=[-1])],
        output=[
            TensorConfig(name=name, data_type=_TYPES[form.datatype], dims=[-1] * form.dimensions)
            for name, form in OUTPUTS.items()
        ],
        parameters={"family": ParameterConfig(string_value=preset.family)} if preset.family else {},
    )


def _write_tally(name: str, tally: Tally) -> ModelStatistics:
    return ModelStatistics(
        name=name,
        version=VERSION,
        inference_count=tally.rows,
        inference_stats=InferenceStatistics(
            success=Duration(count=tally.answered, ns=_to_ns(tally.answered_s)),
            fail=Duration(count=tally.refused, ns=_to_ns(tally.refused_s)),
        ),
    )


def _to_ns(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
