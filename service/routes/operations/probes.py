"""`GET /healthz`, `/readyz` and `/metrics`: what the platform asks."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from service.errors.table import error_response
from service.routes.calls.dependencies import MetricsOf, ReadinessOf
from service.routes.schemas import ProbeAnswer

_METRICS = "# TYPE fill_mask_queue_size gauge\nfill_mask_queue_size 0.0\n"

router = APIRouter(tags=["operations"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def check_health() -> ProbeAnswer:
    """Say that the process lives."""
    return ProbeAnswer(status="ok")


@router.head("/readyz", response_model=ProbeAnswer, include_in_schema=False)
@router.get("/readyz", response_model=ProbeAnswer)
async def check_readiness(readiness: ReadinessOf) -> ProbeAnswer | Response:
    """Fill a mask with the default preset, and answer its error where that fails."""
    error = await readiness.check()
    return error_response(error) if error else ProbeAnswer(status="ready")


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    openapi_extra={"responses": {"200": {"content": {"text/plain": {"example": _METRICS}}}}},
)
async def expose_metrics(metrics: MetricsOf) -> Response:
    """Expose every metric in Prometheus' text format."""
    return Response(await metrics.expose(), media_type=metrics.content_type)
