"""`POST /fill-mask`: the native interface."""

from fastapi import APIRouter, Response

from model_store.text.filled_text import FilledText
from service.pipeline import FillRequest
from service.routes.dependencies import PipelineOf, SettingsOf
from service.routes.schemas import (
    FilledInput,
    FilledMask,
    FillMaskRequest,
    FillMaskResponse,
    Prediction,
)
from service.routes.timing import TimeoutOf, timing_headers

DEFAULT_TOP_K = 5

router = APIRouter(tags=["fill-mask"])


@router.post("/fill-mask")
async def fill_mask(
    body: FillMaskRequest,
    pipeline: PipelineOf,
    settings: SettingsOf,
    response: Response,
    timeout_s: TimeoutOf = None,
) -> FillMaskResponse:
    """Say which tokens belong at each `[MASK]`."""
    request = _read(body, settings.default_preset, timeout_s)
    filled = await pipeline.fill(request)
    response.headers.update(timing_headers(filled.timings))
    return FillMaskResponse(preset=request.preset, results=[_write(text) for text in filled.texts])


def _read(body: FillMaskRequest, default_preset: str, timeout_s: float | None) -> FillRequest:
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    targets = _spread(body.targets, len(inputs))
    top_k = body.top_k or (max(map(len, targets)) if targets else DEFAULT_TOP_K)
    return FillRequest(body.preset or default_preset, inputs, top_k, targets, timeout_s)


def _spread(targets: list[str] | list[list[str]] | None, inputs: int) -> list[list[str]] | None:
    """Return one list of targets an input."""
    if targets is None:
        return None
    lists = [target for target in targets if isinstance(target, list)]
    return lists or [[str(target) for target in targets]] * inputs


def _write(filled: FilledText) -> FilledInput:
    encoding = filled.encoding
    return FilledInput(
        masks=[
            FilledMask(
                position=int(position),
                start=start,
                end=end,
                predictions=[
                    Prediction(
                        score=prediction.score,
                        token=prediction.token,
                        token_str=prediction.token_str,
                        sequence=filled.spliced_sequence(mask, prediction),
                    )
                    for prediction in predictions
                ],
            )
            for mask, (position, (start, end), predictions) in enumerate(
                zip(encoding.mask_positions, encoding.mask_spans, filled.predictions, strict=True)
            )
        ],
        tokens=len(encoding.token_ids),
    )
