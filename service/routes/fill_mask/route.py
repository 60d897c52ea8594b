"""Reads a body, has its task run, and writes the answer."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from service.middleware.body.lines import LINES_TYPE
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.fill_mask.answer import FillMaskResponse
from service.routes.fill_mask.call import read_call
from service.routes.fill_mask.request import FillMaskRequest

if TYPE_CHECKING:
    from service.pipeline import Pipeline

_LINES = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": (
            "A request a line, as JSON; a lone string is its `inputs`. The answer is of the same "
            "type: a line of this route's answer, or of an error with its `line`, for each, in "
            "order, while lines still come in."
        ),
    },
    "example": '{"inputs": "Paris is in [MASK]."}\n"Rome is in [MASK]."\n',
}
_AS_LINES = {"requestBody": {"content": {LINES_TYPE: _LINES}}}
"""How requests are sent a line each; another route answers those.

What it answers is told in words: a second type of answer would make that of all callers a union.
"""

router = APIRouter(tags=["fill-mask"], route_class=ShortWay)


@router.post(
    "/fill-mask",
    response_model=FillMaskResponse,
    responses=TASK_ANSWERS,
    openapi_extra=_AS_LINES,
)
async def fill_mask(
    body: FillMaskRequest, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Say which tokens belong at each `[MASK]`, or how likely your words are there."""
    pipeline: Pipeline = request.app.state.pipeline
    preset = body.preset or request.app.state.settings.default_preset
    call = read_call(body)
    answered = await pipeline.run(preset, call.request, timeout_s)
    return json_response(call.write(preset, answered.answer), timing_headers(answered.timings))
