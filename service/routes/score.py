"""`POST /score`: how likely whole texts are, and which of some candidates fits a template best."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from model_store.tasks.score import GAP, Method, ScoredText, ScoreRequest, rank
from service.routes.calls.document import TASK_ANSWERS
from service.routes.calls.short_way import ShortWay, json_response
from service.routes.calls.timing import TimeoutOf, timing_headers
from service.routes.schemas import Text

if TYPE_CHECKING:
    from service.pipeline import Pipeline

router = APIRouter(tags=["score"], route_class=ShortWay)


def _require_one_gap(template: str) -> str:
    if template.count(GAP) != 1:
        message = f"a template has one {GAP}, where its candidates go"
        raise ValueError(message)
    return template


class ScoreBody(BaseModel):
    """What to score, and how: `inputs`, or a `template` and its `candidates`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "template": "He went to the {}.",
                    "candidates": ["bank", "swimming pool", "ATM"],
                },
                {"inputs": ["The dogs bark.", "The dogs barks."], "method": "pll"},
            ]
        },
    )

    inputs: Text | Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="A text, or several, without masks."
    )
    template: Annotated[Text, AfterValidator(_require_one_gap)] | None = Field(
        None, description="Instead of `inputs`: a text with one `{}`."
    )
    candidates: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="What is written where the template has `{}`, each in turn."
    )
    preset: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Which model; the default one if left out."
    )
    method: Method = Field(
        "pll_word_l2r",
        description=(
            "What is masked while a token is scored: that token (`pll`), or the later pieces of "
            "its word as well (`pll_word_l2r`)."
        ),
    )

    @model_validator(mode="after")
    def _require_one_form(self) -> "ScoreBody":
        forms = self.inputs is None, self.template is None, self.candidates is None
        if forms not in {(False, True, True), (True, False, False)}:
            message = "send either inputs, or a template and its candidates"
            raise ValueError(message)
        return self


class TokenScore(BaseModel):
    """A token and what it is worth."""

    token: int = Field(description="Its id in the vocabulary.")
    token_str: str = Field(description="The vocabulary entry; `##` marks the rest of a word.")
    start: int = Field(description="Where it starts in the text, in characters.")
    end: int = Field(description="Where it ends in the text, in characters.")
    log_prob: float = Field(description="The natural logarithm of its probability.")


class ScoredInput(BaseModel):
    """How likely one text is."""

    sequence: str = Field(description="The text, a template filled.")
    rank: int = Field(description="1 for the highest `total` of this answer; equals share one.")
    total: float = Field(description="The sum of `log_prob`: the pseudo-log-likelihood.")
    mean: float = Field(description="`total` for each token.")
    pseudo_perplexity: float = Field(description="`exp(-mean)`.")
    tokens: list[TokenScore] = Field(description="Its tokens, special ones left out.")


class ScoreResponse(BaseModel):
    """The answer, one result for each input or candidate, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "preset": "minilm_l6_en_uncased",
                    "results": [
                        {
                            "sequence": "The dogs bark.",
                            "rank": 1,
                            "total": -6.5,
                            "mean": -6.5,
                            "pseudo_perplexity": 665.1,
                            "tokens": [
                                {
                                    "token": 6077,
                                    "token_str": "dogs",
                                    "start": 4,
                                    "end": 8,
                                    "log_prob": -6.5,
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )

    preset: str
    results: list[ScoredInput]


@router.post("/score", response_model=ScoreResponse, responses=TASK_ANSWERS)
async def score(body: ScoreBody, request: Request, timeout_s: TimeoutOf = None) -> Response:
    """Say how likely whole texts are, and rank them."""
    pipeline: Pipeline = request.app.state.pipeline
    preset = body.preset or request.app.state.settings.default_preset
    scored = await pipeline.run(preset, _read(body), timeout_s)
    answer = {"preset": preset, "results": write_scores(scored.answer)}
    return json_response(answer, timing_headers(scored.timings))


def write_scores(texts: Sequence[ScoredText]) -> list[dict[str, Any]]:
    """Return the answer for texts that were scored together."""
    return [_write(*pair) for pair in zip(texts, rank(texts), strict=True)]


def _read(body: ScoreBody) -> ScoreRequest:
    if body.template is not None and body.candidates is not None:
        return ScoreRequest(body.candidates, body.template, body.method)
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs or []
    return ScoreRequest(inputs, method=body.method)


def _write(text: ScoredText, rank_: int) -> dict[str, Any]:
    return {
        "sequence": text.text,
        "rank": rank_,
        "total": text.total,
        "mean": text.mean,
        "pseudo_perplexity": text.pseudo_perplexity,
        "tokens": text.tokens,
    }
