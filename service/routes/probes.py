"""`GET /healthz`, `/readyz` and `/metrics`: what the platform asks."""

from fastapi import APIRouter, Response

from service.routes.dependencies import MetricsOf, PipelineOf, SettingsOf
from service.schemas import Status

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def check_health() -> Status:
    """Say that the process lives."""
    return Status(status="ok")


@router.get("/readyz")
async def check_readiness(pipeline: PipelineOf, settings: SettingsOf) -> Status:
    """Fill a mask with the default preset, and answer its error where that fails."""
    await pipeline.check(settings.default_preset)
    return Status(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def expose_metrics(metrics: MetricsOf) -> Response:
    """Expose every metric in Prometheus' text format."""
    return Response(await metrics.expose(), media_type=metrics.content_type)
