"""`GET /healthz`, `/readyz` and `/metrics`: what the platform asks."""

from fastapi import APIRouter, Response

from service.errors.table import error_response
from service.routes.calls.dependencies import MetricsOf, ReadinessOf
from service.routes.schemas import Status

router = APIRouter(tags=["operations"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def check_health() -> Status:
    """Say that the process lives."""
    return Status(status="ok")


@router.head("/readyz", response_model=Status, include_in_schema=False)
@router.get("/readyz", response_model=Status)
async def check_readiness(readiness: ReadinessOf) -> Status | Response:
    """Fill a mask with the default preset, and answer its error where that fails."""
    error = await readiness.check()
    return error_response(error) if error else Status(status="ready")


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def expose_metrics(metrics: MetricsOf) -> Response:
    """Expose every metric in Prometheus' text format."""
    return Response(await metrics.expose(), media_type=metrics.content_type)
