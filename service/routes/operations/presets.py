"""`/presets`: which models there are, how they stand, and loading and unloading them."""

from fastapi import APIRouter

from service.models.preset_info import PresetInfo
from service.routes.calls.dependencies import PresetControlOf, PresetStatesOf, SettingsOf
from service.routes.calls.document import ADMIN, LOAD_ANSWERS, PRESET_ANSWERS
from service.routes.schemas import LoadRequest, PresetList

router = APIRouter(tags=["presets"])


@router.head("/presets", include_in_schema=False)
@router.get("/presets")
async def list_presets(states: PresetStatesOf, settings: SettingsOf) -> PresetList:
    """List every preset and its state."""
    return PresetList(default=settings.default_preset, presets=await states.describe_all())


@router.head("/presets/{name}", include_in_schema=False)
@router.get("/presets/{name}", responses=PRESET_ANSWERS)
async def describe_preset(name: str, control: PresetControlOf) -> PresetInfo:
    """Say how one preset stands, as the list does."""
    return await control.describe(name)


@router.post("/presets/{name}/load", responses=LOAD_ANSWERS, openapi_extra=ADMIN)
async def load_preset(
    name: str, control: PresetControlOf, body: LoadRequest | None = None
) -> PresetInfo:
    """Load a preset, fetching its files first where that is allowed, and answer how it stands."""
    wanted = body or LoadRequest()
    return await control.load(name, reload=wanted.reload, pin=wanted.pin)


@router.post("/presets/{name}/unload", responses=LOAD_ANSWERS, openapi_extra=ADMIN)
async def unload_preset(name: str, control: PresetControlOf) -> PresetInfo:
    """Give a preset's memory back once every request that uses it is answered."""
    return await control.unload(name)
