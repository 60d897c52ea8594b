"""`POST /v1/models/{name}:predict`: masks filled, in KServe's first protocol.

Without parameters, a prediction is what KServe's Hugging Face runtime answers: the likeliest
entries of a text's masks, decoded. With them, it is a list of candidates for each mask.
"""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model_store.text.filled_text import FilledText
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.kserve.fill_parameters import FillParameters
from service.routes.schemas import Text

if TYPE_CHECKING:
    from service.pipeline import Pipeline

router = APIRouter(tags=["kserve v1"], prefix="/v1/models", route_class=ShortWay)


class TextInstance(BaseModel):
    """A text as an object."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text = Field(description="The text, with at least one mask.")


class PredictBody(BaseModel):
    """What to fill, and how."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"instances": ["The capital of France is [MASK]."]},
                {
                    "instances": [{"text": "She is a very [MASK] person."}],
                    "parameters": {"targets": ["good", "bad"]},
                },
            ]
        },
    )

    instances: Annotated[list[Text | TextInstance], Field(min_length=1)] = Field(
        description="The texts."
    )
    parameters: FillParameters | None = Field(
        None, description="How to fill; with any, predictions are lists of candidates."
    )


class Candidate(BaseModel):
    """A candidate for one mask."""

    score: float = Field(description="Its probability over the whole vocabulary.")
    token: int = Field(description="Its id in the vocabulary.")
    token_str: str = Field(description="The vocabulary entry; `##` marks the rest of a word.")
    sequence: str = Field(description="The text with this one mask filled.")


class PredictAnswer(BaseModel):
    """The answer, one prediction an instance, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"predictions": ["paris"]}]})

    predictions: list[str | list[list[Candidate]]] = Field(
        description=(
            "For each text, the likeliest entries of its masks, decoded; with parameters, a list "
            "of candidates for each mask."
        )
    )


@router.post("/{name}:predict", response_model=PredictAnswer, responses=TASK_ANSWERS)
async def predict(
    name: str, body: PredictBody, request: Request, timeout_s: TimeoutOf = None
) -> Response:
    """Say which tokens belong at each mask."""
    pipeline: Pipeline = request.app.state.pipeline
    texts = [each if isinstance(each, str) else each.text for each in body.instances]
    parameters = body.parameters or FillParameters(top_k=None, targets=None)
    filled = await pipeline.run(name, parameters.ask(texts), timeout_s)
    write = FilledText.decoded_likeliest if parameters.are_defaults else _list_candidates
    predictions = [write(text) for text in filled.answer]
    return json_response({"predictions": predictions}, timing_headers(filled.timings))


def _list_candidates(filled: FilledText) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "score": prediction.score,
                "token": prediction.token,
                "token_str": prediction.token_str,
                "sequence": filled.spliced_sequence(mask, prediction),
            }
            for prediction in predictions
        ]
        for mask, predictions in enumerate(filled.predictions)
    ]
