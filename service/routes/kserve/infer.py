"""`POST /v2/models/{name}/infer`: masks filled, in the Open Inference Protocol."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.kserve.binary_body import LENGTH_HEADER, BinaryBody, tensors_of
from service.routes.kserve.infer_request import InferBody
from service.routes.kserve.infer_response import VERSION, InferAnswer, list_tensors, write_tensors

if TYPE_CHECKING:
    from service.pipeline import Pipeline

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
    request_ = body.parameters.ask(texts)
    filled = await pipeline.run(name, request_, body.parameters.read_timeout(timeout_s))
    fields = {"id": body.id} if body.id is not None else {}
    fields |= {"model_name": name, "model_version": VERSION}
    return write_tensors(fields, list_tensors(filled.answer, body), timing_headers(filled.timings))
