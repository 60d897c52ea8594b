"""`GET /info`: what this server is, what it lets through, and what is in memory."""

from fastapi import APIRouter, Request

from service.routes.calls.dependencies import PresetStatesOf, SettingsOf
from service.routes.schemas import LimitsInfo, ServerInfo

router = APIRouter(tags=["operations"])


@router.head("/info", include_in_schema=False)
@router.get("/info")
async def describe_server(
    request: Request, states: PresetStatesOf, settings: SettingsOf
) -> ServerInfo:
    """Say the version, the limits, and which presets are loaded."""
    presets = await states.describe_all()
    return ServerInfo(
        version=request.app.version,
        default=settings.default_preset,
        loaded=[preset.name for preset in presets if preset.state == "ready"],
        limits=LimitsInfo.model_validate(settings),
    )
