"""What is sent to `POST /fill-mask`."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.targets import TargetsOfText
from service.routes.schemas import Targets, Text

TargetsOfInput = Targets | Annotated[list[Targets], Field(min_length=1)]


class FilterOptions(BaseModel):
    """What may be answered; all of it holds at once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    whole_words: bool = Field(
        default=False, description="Whether `##pieces`, special and unused tokens are left out."
    )
    alphabetic: bool = Field(
        default=False, description="Whether all is left out that is not of letters only."
    )
    exclude: list[Text] = Field(
        default=[], description="Words that are left out, as they are spelled."
    )
    original: Text | Annotated[list[Text], Field(min_length=1)] | None = Field(
        None,
        description=(
            "The word that stood at the masks, which is left out in any case: of all inputs, or "
            "a list with one for each input."
        ),
    )
    min_score: float = Field(
        default=0.0, ge=0.0, le=1.0, description="The least probability that is answered."
    )

    def spread(self, inputs: int) -> CandidateFilter:
        """Return the filter of so many inputs."""
        original = self.original
        originals = [original] * inputs if isinstance(original, str) else original
        return CandidateFilter(
            self.whole_words, self.alphabetic, self.exclude, originals or (), self.min_score
        )


class FillMaskRequest(BaseModel):
    """What to fill, and how."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"inputs": "The capital of France is [MASK]."},
                {
                    "inputs": "She is a very [MASK] person.",
                    "targets": ["good", "trustworthy", "好"],
                },
                {
                    "inputs": "He sat on the [MASK] of the river.",
                    "top_k": 3,
                    "filter": {"whole_words": True, "alphabetic": True, "original": "bank"},
                },
            ]
        },
    )

    inputs: Text | Annotated[list[Text], Field(min_length=1)] = Field(
        description="A text, or several; each with at least one `[MASK]`."
    )
    preset: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Which model; the default one if left out."
    )
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many predictions a mask: 5 if left out, or all targets."
    )
    targets: Targets | Annotated[list[TargetsOfInput], Field(min_length=1)] | None = Field(
        None,
        description=(
            "Words to score, instead of the likeliest: one list for all inputs; or a list with, "
            "for each input, a list of words for all its masks or a list of such lists, one for "
            "each mask. Where `inputs` is one string, a list of lists has one for each mask. "
            "Scores are not renormalised."
        ),
    )
    filter: FilterOptions | None = Field(
        None, description="What may be among the likeliest; not together with `targets`."
    )

    @property
    def texts(self) -> list[str]:
        """The inputs, one or several."""
        return [self.inputs] if isinstance(self.inputs, str) else self.inputs

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.filter is None:
            return self
        if self.targets is not None:
            message = "targets and filter exclude each other, send one of them"
            raise ValueError(message)
        original = self.filter.original
        if isinstance(original, list) and len(original) != len(self.texts):
            message = "original has to be one word, or a list with one for each input"
            raise ValueError(message)
        return self

    def list_targets(self) -> list[TargetsOfText] | None:
        """Return the targets of each input."""
        targets = self.targets
        if targets is None:
            return None
        words = [target for target in targets if isinstance(target, str)]
        if words:
            return [words] * len(self.texts)
        lists = [target for target in targets if not isinstance(target, str)]
        return _split(lists) if isinstance(self.inputs, str) else list(lists)


def _split(lists: list[list[str] | list[list[str]]]) -> list[TargetsOfText]:
    """Return the targets of one text: of several lists of words, each is that of one mask."""
    words = [words for words in lists if isinstance(words[0], str)]
    return [words] if len(words) == len(lists) > 1 else list(lists)
