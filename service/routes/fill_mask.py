"""`POST /fill-mask`: the native interface."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from model_store.tasks.fill import FillRequest
from model_store.text.filled_text import FilledText
from service.routes.schemas import FillMaskRequest, FillMaskResponse
from service.routes.short_way import ShortWay, json_response
from service.routes.timing import TimeoutOf, timing_headers

if TYPE_CHECKING:
    from service.pipeline import Pipeline

DEFAULT_TOP_K = 5

_AS_LINES = {
    "requestBody": {
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"inputs": "Paris is in [MASK]."}\n"Rome is in [MASK]."\n',
            }
        }
    }
}
"""How requests are sent a line each; another route answers those."""

router = APIRouter(tags=["fill-mask"], route_class=ShortWay)


@router.post("/fill-mask", response_model=FillMaskResponse, openapi_extra=_AS_LINES)
async def fill_mask(
    body: FillMaskRequest, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Say which tokens belong at each `[MASK]`."""
    pipeline: Pipeline = request.app.state.pipeline
    preset = body.preset or request.app.state.settings.default_preset
    filled = await pipeline.run(preset, read_request(body), timeout_s)
    return json_response(write_answer(preset, filled.answer), timing_headers(filled.timings))


def read_request(body: FillMaskRequest) -> FillRequest:
    """Return what a body asks for."""
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    targets = _spread(body.targets, len(inputs))
    top_k = body.top_k or (max(map(len, targets)) if targets else DEFAULT_TOP_K)
    return FillRequest(inputs, top_k, targets)


def write_answer(preset: str, texts: Sequence[FilledText]) -> dict[str, Any]:
    """Return an answer of dicts, where models would look at every number again: tests do so."""
    return {"preset": preset, "results": [_write(text) for text in texts]}


def _spread(targets: list[str] | list[list[str]] | None, inputs: int) -> list[list[str]] | None:
    """Return one list of targets an input."""
    if targets is None:
        return None
    lists = [target for target in targets if isinstance(target, list)]
    return lists or [[str(target) for target in targets]] * inputs


def _write(filled: FilledText) -> dict[str, Any]:
    encoding = filled.encoding
    masks = zip(
        encoding.mask_positions.tolist(), encoding.mask_spans, filled.predictions, strict=True
    )
    return {
        "masks": [
            {
                "position": position,
                "start": start,
                "end": end,
                "predictions": [
                    {
                        "score": prediction.score,
                        "token": prediction.token,
                        "token_str": prediction.token_str,
                        "sequence": filled.spliced_sequence(mask, prediction),
                    }
                    for prediction in predictions
                ],
            }
            for mask, (position, (start, end), predictions) in enumerate(masks)
        ],
        "tokens": len(encoding.token_ids),
    }
