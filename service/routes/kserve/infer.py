"""`POST /v2/models/{name}/infer`: masks filled, in the Open Inference Protocol."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.kserve.binary_body import LENGTH_HEADER, BinaryBody, tensors_of
from service.routes.kserve.infer_request import InferBody
from service.routes.kserve.infer_response import (
    OUTPUTS,
    VERSION,
    InferAnswer,
    WantedOutput,
    write_tensors,
)

if TYPE_CHECKING:
    from service.pipeline import Pipeline

_MICROSECONDS = 1_000_000
_BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
_LENGTH = {
    "name": LENGTH_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
    "description": "How many bytes of the body are JSON; all of them if left out.",
}

router = APIRouter(tags=["open inference"], prefix="/v2/models/{name}", route_class=BinaryBody)


@router.post(
    "/infer",
    response_model=InferAnswer,
    responses=TASK_ANSWERS,
    openapi_extra={
        "requestBody": {"content": _BYTES},
        "responses": {"200": {"content": _BYTES}},
        "parameters": [_LENGTH],
    },
)
@router.post(f"/versions/{VERSION}/infer", include_in_schema=False)
async def infer(
    name: str,
    body: InferBody,
    request: Request,
    timeout_s: TimeoutOf = None,
) -> Response:
    """Say which tokens belong at each mask, as tensors.

    Texts and outputs may be bytes behind the JSON, where `Inference-Header-Content-Length` says how
    long that is.
    """
    pipeline: Pipeline = request.app.state.pipeline
    [tensor] = body.inputs
    texts = tensor.read(tensors_of(request))
    filled = await pipeline.run(name, body.parameters.ask(texts), _read_timeout(body, timeout_s))
    fields = {"id": body.id} if body.id is not None else {}
    fields |= {"model_name": name, "model_version": VERSION}
    headers = timing_headers(filled.timings)
    return write_tensors(fields, filled.answer, _list_wanted(body), headers)


def _read_timeout(body: InferBody, timeout_s: float | None) -> float | None:
    """Return the seconds that the caller waits: the fewer, where header and body say some."""
    said = [timeout_s] if timeout_s is not None else []
    if body.parameters.timeout is not None:
        said.append(body.parameters.timeout / _MICROSECONDS)
    return min(said, default=None)


def _list_wanted(body: InferBody) -> list[WantedOutput]:
    default = body.parameters.binary_data_output
    if body.outputs is None:
        return [WantedOutput(name, default) for name in OUTPUTS]
    wanted = []
    for output in body.outputs:
        said = output.parameters.binary_data if output.parameters else None
        wanted.append(WantedOutput(output.name, default if said is None else said))
    return wanted
