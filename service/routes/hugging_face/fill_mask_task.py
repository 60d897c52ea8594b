"""`POST /models/{preset}` and `POST /`: Hugging Face's fill-mask task, as its clients speak it.

The answer nests as Transformers' pipeline nests it: a list of predictions for one text with one
mask; one level more for several masks, and one more for several texts. A list of one text counts
as that text.
"""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model_store.tasks.fill import FillRequest
from model_store.text.filled_text import FilledText
from service.errors.exceptions import ShuttingDownError, UnretriedShutdownError
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.fill_mask import DEFAULT_TOP_K
from service.routes.schemas import Targets, Text

if TYPE_CHECKING:
    from service.pipeline import Pipeline

_INLINE_TOKENS = 1024
"""Answers that decode no more than this are written on the event loop: a thread takes longer."""

_ANSWERS = {status: said for status, said in TASK_ANSWERS.items() if status != "503"}
"""What is said of the task: one of its clients sends a request again, without end, after a 503."""

router = APIRouter(tags=["hugging face"], route_class=ShortWay)


class FillMaskParameters(BaseModel):
    """How to fill: what Transformers' pipeline takes; any other name is refused, as it does."""

    model_config = ConfigDict(extra="forbid", strict=True)

    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many predictions a mask; 5 if left out."
    )
    targets: Targets | Text | None = Field(
        None, description="Vocabulary entries to score, instead of the likeliest."
    )


class FillMaskTask(BaseModel):
    """A request as Hugging Face's clients send it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"inputs": "The capital of France is [MASK].", "parameters": {"top_k": 3}}]
        },
    )

    inputs: Text | Annotated[list[Text], Field(min_length=1)] = Field(
        description="A text, or several; each with at least one `[MASK]`."
    )
    parameters: FillMaskParameters | None = Field(None, description="How to fill.")
    options: dict[str, Any] | None = Field(
        None,
        description="Of Hugging Face's own service, such as `wait_for_model`; changes nothing.",
    )


class FillMaskElement(BaseModel):
    """A candidate for one mask, `sequence` decoded as Transformers decodes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "score": 0.16,
                    "token": 3000,
                    "token_str": "paris",
                    "sequence": "the capital of france is paris.",
                }
            ]
        }
    )

    score: float
    token: int
    token_str: str
    sequence: str


Elements = list[FillMaskElement]


Answer = Elements | list[Elements] | list[Elements | list[Elements]]


@router.post("/models/{preset:path}", response_model=Answer, responses=_ANSWERS)
@router.post("/hf-inference/models/{preset:path}", include_in_schema=False)
async def fill_mask_task(
    preset: str, body: FillMaskTask, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Answer Hugging Face's `InferenceClient.fill_mask` and its kin.

    The longer path is that of Hugging Face's router, for whoever puts this server in its place.
    """
    # Some clients end every address with a slash.
    return await _answer(preset.removesuffix("/"), body, request, timeout_s)


@router.post("/", response_model=Answer, responses=_ANSWERS)
async def fill_mask_by_default(
    body: FillMaskTask, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Answer a client of Hugging Face that was given an address only, by the default preset."""
    preset = request.app.state.settings.default_preset
    return await _answer(preset, body, request, timeout_s)


async def _answer(
    preset: str, body: FillMaskTask, request: Request, timeout_s: float | None
) -> Response:
    pipeline: Pipeline = request.app.state.pipeline
    try:
        filled = await pipeline.run(preset, _read(body), timeout_s)
    except ShuttingDownError as error:
        raise UnretriedShutdownError from error
    # Every prediction decodes its whole text: thousands of them would hold the event loop.
    if sum(map(_count_decoded, filled.answer)) <= _INLINE_TOKENS:
        answer = _write_all(filled.answer)
    else:
        answer = await asyncio.to_thread(_write_all, filled.answer)
    return json_response(answer, timing_headers(filled.timings))


def _read(body: FillMaskTask) -> FillRequest:
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    parameters = body.parameters or FillMaskParameters(top_k=None, targets=None)
    targets = parameters.targets
    targets = [targets] if isinstance(targets, str) else targets
    return FillRequest(
        inputs,
        top_k=parameters.top_k or DEFAULT_TOP_K,
        targets=None if targets is None else [targets] * len(inputs),
        own_mask=True,
    )


def _count_decoded(filled: FilledText) -> int:
    """Return how many tokens are decoded to write an answer."""
    return len(filled.encoding.token_ids) * sum(map(len, filled.predictions))


def _write_all(texts: list[FilledText]) -> list[Any]:
    answers = [_write(filled) for filled in texts]
    return answers[0] if len(answers) == 1 else answers


def _write(filled: FilledText) -> list[Any]:
    masks = [
        [
            {
                "score": prediction.score,
                "token": prediction.token,
                "token_str": filled.decoded_token(prediction),
                "sequence": filled.decoded_sequence(mask, prediction),
            }
            for prediction in predictions
        ]
        for mask, predictions in enumerate(filled.predictions)
    ]
    return masks[0] if len(masks) == 1 else masks
