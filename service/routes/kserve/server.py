"""`/v2` and `/v2/health`: what the server is, and whether it lives."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.errors.table import error_response
from service.routes.calls.dependencies import ReadinessOf

_EXTENSIONS = ["binary_tensor_data", "model_repository", "statistics"]

router = APIRouter(tags=["open inference"], prefix="/v2")


class ServerMetadata(BaseModel):
    """What this server is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "fillmask",
                    "version": "0.1.0",
                    "extensions": ["binary_tensor_data", "model_repository", "statistics"],
                }
            ]
        }
    )

    name: str = Field(description="`fillmask`.")
    version: str = Field(description="Of fillmask.")
    extensions: list[str] = Field(
        description="What it can do beyond the Open Inference Protocol, by its name there."
    )


class Live(BaseModel):
    """The answer of a server that lives."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"live": True}]})

    live: bool


class Ready(BaseModel):
    """The answer of a server that answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ready": True}]})

    ready: bool


@router.head("", include_in_schema=False)
@router.get("")
async def describe_inference_server(request: Request) -> ServerMetadata:
    """Say what the server is."""
    return describe_server(request.app.version)


def describe_server(version: str) -> ServerMetadata:
    """Say what a server of some version of fillmask is."""
    return ServerMetadata(name="fillmask", version=version, extensions=_EXTENSIONS)


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live")
async def check_live() -> Live:
    """Say that the process lives."""
    return Live(live=True)


@router.head("/health/ready", response_model=Ready, include_in_schema=False)
@router.get("/health/ready", response_model=Ready)
async def check_ready(readiness: ReadinessOf) -> Ready | Response:
    """Fill a mask with the default preset, and answer its error where that fails."""
    error = await readiness.check()
    return error_response(error) if error else Ready(ready=True)
