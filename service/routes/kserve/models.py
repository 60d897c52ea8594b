"""`/v2/models`: what goes into a preset and comes out of it, and whether it is loaded."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.errors.exceptions import PresetNotLoadedError
from service.routes.dependencies import PresetControlOf
from service.routes.kserve.infer_response import OUTPUTS, VERSION

_INPUT = "text"

router = APIRouter(tags=["open inference"], prefix="/v2/models/{name}")


class TensorMetadata(BaseModel):
    """A tensor that goes in or comes out."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1 where the request decides.")


class ModelMetadata(BaseModel):
    """What goes into a preset, and comes out of it."""

    name: str
    versions: list[str] = Field(description="`1`, always.")
    platform: str = Field(description="`fillmask`.")
    inputs: list[TensorMetadata] = Field(description="The texts; any name will do.")
    outputs: list[TensorMetadata] = Field(description="What `POST /v2/models/{name}/infer` tells.")


class ModelReady(BaseModel):
    """The answer of a preset that is loaded."""

    name: str
    ready: bool


@router.head("", include_in_schema=False)
@router.get("")
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
@router.get("/ready")
@router.head(f"/versions/{VERSION}/ready", include_in_schema=False)
@router.get(f"/versions/{VERSION}/ready", include_in_schema=False)
async def check_model(name: str, control: PresetControlOf) -> ModelReady:
    """Say that a preset is loaded."""
    preset = await control.describe(name)
    if preset.state != "ready":
        raise PresetNotLoadedError
    return ModelReady(name=name, ready=True)
