"""`POST /tokenize`: the tokens of texts, in the form of text-embeddings-inference."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model_store.tasks.tokenize import TokenizeRequest
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.schemas import Text

if TYPE_CHECKING:
    from service.pipeline import Pipeline

_INLINE_TOKENS = 4096
"""Answers of no more tokens are written on the event loop: a thread takes longer."""

router = APIRouter(tags=["text-embeddings-inference"], route_class=ShortWay)


class TokenizeBody(BaseModel):
    """What to tokenize."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"inputs": "The capital of France is [MASK]."}]},
    )

    inputs: Text | Annotated[list[Text], Field(min_length=1)] = Field(
        description="A text, or several; masks are not needed."
    )
    preset: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Whose tokenizer; the default preset's if left out."
    )
    add_special_tokens: bool = Field(
        default=True, description="Whether what the model needs around a text is listed, too."
    )


class SimpleToken(BaseModel):
    """A token of a text."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": 101, "text": "[CLS]", "special": True, "start": None, "stop": None},
                {"id": 1996, "text": "The", "special": False, "start": 0, "stop": 3},
            ]
        }
    )

    id: int = Field(description="Its id in the vocabulary.")
    text: str = Field(description="The piece of the input that it stands for.")
    special: bool = Field(description="Whether it is around the input, and not in it.")
    start: int | None = Field(description="Where it starts in the input, in characters.")
    stop: int | None = Field(description="Where it ends in the input, in characters.")


@router.post("/tokenize", response_model=list[list[SimpleToken]], responses=TASK_ANSWERS)
async def tokenize(body: TokenizeBody, request: Request, timeout_s: TimeoutOf = None) -> Response:
    """List the tokens of each input, in order."""
    pipeline: Pipeline = request.app.state.pipeline
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    preset = body.preset or request.app.state.settings.default_preset
    wanted = TokenizeRequest(inputs, add_special_tokens=body.add_special_tokens)
    answered = await pipeline.run(preset, wanted, timeout_s)
    headers = timing_headers(answered.timings)
    if sum(map(len, answered.answer)) <= _INLINE_TOKENS:
        return json_response(answered.answer, headers)
    return await asyncio.to_thread(json_response, answered.answer, headers)
