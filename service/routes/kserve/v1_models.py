"""`/v1/models`: which presets there are, and whether they are loaded."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.routes.calls.dependencies import PresetControlOf, PresetStatesOf
from service.routes.calls.document import PRESET_ANSWERS

router = APIRouter(tags=["kserve v1"], prefix="/v1/models")


class ModelList(BaseModel):
    """The names of all presets."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"models": ["minilm_l6_en_uncased"]}]}
    )

    models: list[str]


class ModelReadiness(BaseModel):
    """Whether a preset is loaded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "minilm_l6_en_uncased", "ready": True}]}
    )

    name: str
    ready: bool = Field(description="Whether it is in memory.")


@router.head("", include_in_schema=False)
@router.get("")
async def list_models(states: PresetStatesOf) -> ModelList:
    """List the presets by name."""
    return ModelList(models=[preset.name for preset in await states.describe_all()])


@router.head("/{name}", include_in_schema=False)
@router.get("/{name}", responses=PRESET_ANSWERS)
async def describe_model(name: str, control: PresetControlOf) -> ModelReadiness:
    """Say whether a preset is loaded."""
    preset = await control.describe(name)
    return ModelReadiness(name=name, ready=preset.state == "ready")
