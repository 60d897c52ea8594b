"""`GET /presets`: which models there are, and how they stand."""

from fastapi import APIRouter

from service.routes.dependencies import PresetStatesOf, SettingsOf
from service.schemas import PresetList

router = APIRouter(tags=["presets"])


@router.get("/presets")
async def list_presets(states: PresetStatesOf, settings: SettingsOf) -> PresetList:
    """List every preset and its state."""
    return PresetList(default=settings.default_preset, presets=await states.describe_all())
