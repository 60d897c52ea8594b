"""`/v2/repository`: which presets there are, and loading and unloading them."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.routes.calls.dependencies import PresetControlOf, PresetStatesOf
from service.routes.calls.document import ADMIN, LOAD_ANSWERS
from service.routes.kserve.any_type import AnyType
from service.routes.kserve.infer_response import VERSION

router = APIRouter(tags=["open inference"], prefix="/v2/repository", route_class=AnyType)

_STATES: dict[str, Literal["READY", "LOADING", "UNAVAILABLE"]] = {
    "ready": "READY",
    "loading": "LOADING",
    "downloading": "LOADING",
}


class IndexBody(BaseModel):
    """Which presets to list."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"ready": True}]}
    )

    ready: bool = Field(default=False, description="Whether only those in memory are listed.")


class IndexEntry(BaseModel):
    """A preset and how it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "minilm_l6_en_uncased", "version": "1", "state": "READY", "reason": ""}
            ]
        }
    )

    name: str
    version: str = Field(description="`1`, always.")
    state: Literal["READY", "LOADING", "UNAVAILABLE"] = Field(
        description="Whether it is in memory, on its way there, or neither."
    )
    reason: str = Field(description="Why it cannot be used; empty where nothing is known.")


class UnloadParameters(BaseModel):
    """How to unload."""

    model_config = ConfigDict(extra="forbid", strict=True)

    unload_dependents: bool = Field(
        default=False, description="Changes nothing: no preset depends on another."
    )


class RepositoryBody(BaseModel):
    """What clients send to load and unload; nothing of it is needed."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"parameters": {"unload_dependents": False}}]},
    )

    parameters: UnloadParameters | None = None


class Loaded(BaseModel):
    """The answer when a preset is loaded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "minilm_l6_en_uncased", "load": True}]}
    )

    name: str
    load: bool = Field(description="Whether it is loaded: `true`.")


class Unloaded(BaseModel):
    """The answer when a preset is unloaded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "minilm_l6_en_uncased", "unload": True}]}
    )

    name: str
    unload: bool = Field(description="Whether it is unloaded: `true`.")


@router.post("/index", openapi_extra=ADMIN)
async def list_repository(
    states: PresetStatesOf, body: IndexBody | None = None
) -> list[IndexEntry]:
    """List every preset and its state."""
    entries = [
        IndexEntry(
            name=preset.name,
            version=VERSION,
            state=_STATES.get(preset.state, "UNAVAILABLE"),
            reason=preset.error or "",
        )
        for preset in await states.describe_all()
    ]
    return [entry for entry in entries if entry.state == "READY" or not (body and body.ready)]


@router.post("/models/{name}/load", responses=LOAD_ANSWERS, openapi_extra=ADMIN)
async def load_model(
    name: str, control: PresetControlOf, body: RepositoryBody | None = None
) -> Loaded:
    """Load a preset; read the files of one that is loaded anew, while it goes on answering."""
    del body
    await control.load(name, reload=True, pin=None)
    return Loaded(name=name, load=True)


@router.post("/models/{name}/unload", responses=LOAD_ANSWERS, openapi_extra=ADMIN)
async def unload_model(
    name: str, control: PresetControlOf, body: RepositoryBody | None = None
) -> Unloaded:
    """Give a preset's memory back once every request that uses it is answered."""
    del body
    await control.unload(name)
    return Unloaded(name=name, unload=True)
