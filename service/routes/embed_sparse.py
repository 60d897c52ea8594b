"""`POST /embed-sparse`: sparse vectors, as text-embeddings-inference answers them."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model_store.tasks.embed_sparse import EmbeddedText, EmbedSparseRequest
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.schemas import Text

if TYPE_CHECKING:
    from service.pipeline import Pipeline

_INLINE_VALUES = 1024
"""Answers of no more than this are written on the event loop: a thread takes longer."""

router = APIRouter(tags=["embed-sparse"], route_class=ShortWay)


class EmbedSparseBody(BaseModel):
    """What to embed, and how."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"inputs": "What is a sparse vector?", "top_k": 3, "token_str": True},
                {"inputs": ["A first text.", "A second one."], "truncate": True},
            ]
        },
    )

    inputs: Text | Annotated[list[Text], Field(min_length=1)] = Field(
        description="A text, or several."
    )
    truncate: bool | None = Field(
        None,
        description=(
            "Whether to cut off the end of a text that is longer than the model takes; it is "
            "refused if left out."
        ),
    )
    preset: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Which model; the default one if left out."
    )
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="How many of a vector's largest values; all that are above zero if left out.",
    )
    token_str: bool = Field(default=False, description="Whether each value names its entry.")


class SparseValue(BaseModel):
    """One dimension of a vector."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"index": 20288, "value": 1.25, "token_str": "sparse"}]}
    )

    index: int = Field(description="The id of a vocabulary entry.")
    value: float = Field(description="Its weight, above zero.")
    token_str: str | None = Field(None, description="The vocabulary entry, where it was asked for.")


@router.post("/embed-sparse", response_model=list[list[SparseValue]], responses=TASK_ANSWERS)
@router.post("/embed_sparse", include_in_schema=False)
async def embed_sparse(
    body: EmbedSparseBody, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Return the sparse vector of each text, which models of the SPLADE kind are trained for.

    The path with an underline is that of text-embeddings-inference.
    """
    pipeline: Pipeline = request.app.state.pipeline
    preset = body.preset or request.app.state.settings.default_preset
    embedded = await pipeline.run(preset, _read(body), timeout_s)
    headers = timing_headers(embedded.timings)
    if sum(len(text.vector.values) for text in embedded.answer) <= _INLINE_VALUES:
        return _write(embedded.answer, headers)
    return await asyncio.to_thread(_write, embedded.answer, headers)


def _read(body: EmbedSparseBody) -> EmbedSparseRequest:
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    return EmbedSparseRequest(inputs, bool(body.truncate), body.top_k, body.token_str)


def _write(texts: list[EmbeddedText], headers: dict[str, str]) -> Response:
    return json_response([_list_values(text) for text in texts], headers)


def _list_values(text: EmbeddedText) -> list[dict[str, Any]]:
    pairs = zip(text.vector.token_ids.tolist(), text.vector.values.tolist(), strict=True)
    values: list[dict[str, Any]] = [{"index": index, "value": value} for index, value in pairs]
    for value, entry in zip(values, text.entries, strict=False):
        value["token_str"] = entry
    return values
