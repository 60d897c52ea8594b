"""What is sent to `POST /fill-mask`."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.joint.variants import SpanLengths
from model_store.tasks.targets import TargetsOfText
from model_store.text.text_pair import Input, TextPair
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


class SpanOptions(BaseModel):
    """How many masks a run of masks may stand for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    min: int = Field(default=1, ge=1, description="The fewest.")
    max: int = Field(ge=1, description="The most.")

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if self.max < self.min:
            message = "max has to be at least min"
            raise ValueError(message)
        return self

    @property
    def lengths(self) -> SpanLengths:
        """The same, as the task is told."""
        return SpanLengths(self.min, self.max)


class PairInput(BaseModel):
    """Two texts that are read together, as BERT was trained on; masks may be in either."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text = Field(description="The first.")
    text_pair: Text = Field(description="The second.")

    @property
    def pair(self) -> TextPair:
        """The same, as tasks are told."""
        return TextPair(self.text, self.text_pair)


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
                {
                    "inputs": "They live in [MASK] [MASK].",
                    "decode": "joint",
                    "top_k": 3,
                    "beam_width": 8,
                },
                {"inputs": "She is a [MASK].", "decode": "joint", "span": {"min": 1, "max": 3}},
                {"inputs": "The capital of France is [MASK].", "overflow": "window"},
                {"inputs": {"text": "Is it cold?", "text_pair": "Yes, there is [MASK] outside."}},
            ]
        },
    )

    inputs: Text | PairInput | Annotated[list[Text | PairInput], Field(min_length=1)] = Field(
        description=(
            "A text, or two that are read together, or a list of such; each with at least one "
            "`[MASK]`."
        )
    )
    preset: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Which model; the default one if left out."
    )
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description=(
            "How many predictions a mask, or how many sequences where `decode` is `joint`: 5 if "
            "left out, or all targets."
        ),
    )
    targets: Targets | Annotated[list[TargetsOfInput], Field(min_length=1)] | None = Field(
        None,
        description=(
            "Words to score, instead of the likeliest: one list for all inputs; or a list with, "
            "for each input, a list of words for all its masks or a list of such lists, one for "
            "each mask. Where `inputs` is one text, a list of lists has one for each mask. "
            "Scores are not renormalised."
        ),
    )
    filter: FilterOptions | None = Field(
        None, description="What may be among the likeliest; not together with `targets`."
    )

    overflow: Literal["error", "window"] = Field(
        "error",
        description=(
            "Of a text that is longer than the model takes: `error` refuses it, `window` shows "
            "each mask in the middle of the part that fits."
        ),
    )
    decode: Literal["independent", "joint"] = Field(
        "independent",
        description=(
            "How several masks are filled: `independent`, each as if the others stayed masks, or "
            "`joint`, one after another, so that they fit each other."
        ),
    )
    beam_width: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description=(
            "How many fillings are followed at a time, with `decode` `joint`: 8 if left out, or "
            "`top_k` if that is more."
        ),
    )
    span: SpanOptions | None = Field(
        None,
        description=(
            "How many masks are tried in place of each run of masks, with `decode` `joint`; as "
            "many as it has if left out."
        ),
    )

    @property
    def texts(self) -> list[Input]:
        """The inputs, one or several."""
        inputs = self.inputs if isinstance(self.inputs, list) else [self.inputs]
        return [each if isinstance(each, str) else each.pair for each in inputs]

    @property
    def lone_texts(self) -> list[str]:
        """The inputs that are no pairs."""
        return [text for text in self.texts if isinstance(text, str)]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for message in self._list_conflicts():
            raise ValueError(message)
        return self

    def _list_conflicts(self) -> Iterator[str]:
        original = self.filter.original if self.filter else None
        is_joint = self.decode == "joint"
        if self.targets is not None and self.filter is not None:
            yield "targets and filter exclude each other, send one of them"
        if isinstance(original, list) and len(original) != len(self.texts):
            yield "original has to be one word, or a list with one for each input"
        if is_joint and (self.targets is not None or self.filter is not None):
            yield "decode joint takes neither targets nor a filter, leave them out"
        if not is_joint and (self.beam_width is not None or self.span is not None):
            yield "beam_width and span are for decode joint, send that too"
        if (self.beam_width or self.top_k or 1) < (self.top_k or 1):
            yield "a beam ends with beam_width sequences, send a top_k that is no larger"
        is_plain = not is_joint and self.overflow == "error"
        if not is_plain and len(self.lone_texts) < len(self.texts):
            yield "pairs are filled independently and whole, leave decode and overflow out"

    def list_targets(self) -> list[TargetsOfText] | None:
        """Return the targets of each input."""
        targets = self.targets
        if targets is None:
            return None
        words = [target for target in targets if isinstance(target, str)]
        if words:
            return [words] * len(self.texts)
        lists = [target for target in targets if not isinstance(target, str)]
        return list(lists) if isinstance(self.inputs, list) else _split(lists)


def _split(lists: list[list[str] | list[list[str]]]) -> list[TargetsOfText]:
    """Return the targets of one text: of several lists of words, each is that of one mask."""
    words = [words for words in lists if isinstance(words[0], str)]
    return [words] if len(words) == len(lists) > 1 else list(lists)
