"""What `POST /fill-mask` answers.

Dicts are written, where models would look at every number again: the tests do so.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from model_store.tasks.windows.cut_text import SeenText
from model_store.text.encoding import Encoding
from model_store.text.filled_text import FilledText
from model_store.text.target import Match
from model_store.text.targeted_text import ScoredTarget, TargetedText
from service.routes.fill_mask.joint_answer import JointInput
from service.routes.fill_mask.seen import Seen, write_seen

Part = Literal["text", "text_pair"]
_PARTS = get_args(Part)
Answer = TypeVar("Answer")


class Prediction(BaseModel):
    """A candidate for one mask."""

    score: float = Field(description="Its probability over the whole vocabulary.")
    token: int = Field(description="Its id in the vocabulary.")
    token_str: str = Field(description="The vocabulary entry; `##` marks the rest of a word.")
    sequence: str = Field(description="The input with this one mask filled.")


class Piece(BaseModel):
    """One of the vocabulary entries that make up a target."""

    token: int = Field(description="Its id in the vocabulary.")
    token_str: str = Field(description="The vocabulary entry.")
    log_prob: float = Field(description="Its log-probability, given the pieces before it.")


class TargetPrediction(BaseModel):
    """A target at one mask; all but `target` and `match` is null where it is unknown."""

    target: str = Field(description="As it was sent.")
    match: Match = Field(
        description=(
            "`exact`: one vocabulary entry. `pieces`: several, scored as a whole word. "
            "`unknown`: this vocabulary cannot write it."
        )
    )
    score: float | None = Field(description="Its probability over the whole vocabulary.")
    log_prob: float | None = Field(
        description="The natural logarithm of that; of pieces, the sum of theirs."
    )
    rank: int | None = Field(
        description="One more than the vocabulary entries that are likelier at this mask."
    )
    token: int | None = Field(description="Its id in the vocabulary; null unless `exact`.")
    token_str: str | None = Field(description="The vocabulary entry, or the target of `pieces`.")
    sequence: str | None = Field(description="The input with this one mask filled.")
    pieces: list[Piece] | None = Field(
        description="What a target of `pieces` is made of; null otherwise."
    )


class Mask(BaseModel):
    """A mask, and where it is."""

    position: int = Field(description="Its index among the tokens of the input.")
    start: int = Field(description="Where it starts in the input, in characters.")
    end: int = Field(description="Where it ends in the input, in characters.")
    part: Part | None = Field(
        None,
        description=(
            "Of a pair, which text it lies in; `start`, `end` and `sequence` are of that one."
        ),
    )
    seen: Seen | None = Field(
        None, description="What the model saw of the input for it; with `overflow` `window`."
    )


class FilledMask(Mask):
    """A mask and its candidates."""

    predictions: list[Prediction] = Field(description="The candidates, the likeliest first.")


class FilteredMask(FilledMask):
    """A mask and the candidates that a filter keeps."""

    entropy: float = Field(description="Of all that the vocabulary could fill in, in nats.")
    removed_probability: float = Field(
        description="Of all entries together that the filter left out."
    )


class TargetedMask(Mask):
    """A mask and its targets."""

    predictions: list[TargetPrediction] = Field(
        description="The targets, the likeliest first, the unknown last."
    )


class FilledInput(BaseModel):
    """The answer for one input."""

    masks: list[TargetedMask] | list[FilteredMask] | list[FilledMask] = Field(
        description="Its masks, in order; what is said of them depends on what was asked."
    )
    tokens: int = Field(description="Its length in tokens, special ones included.")
    truncated: bool | None = Field(
        None, description="Whether the model saw less than all of it; with `overflow` `window`."
    )


class FillMaskResponse(BaseModel):
    """The answer, one result an input, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "preset": "minilm_l6_en_uncased",
                    "results": [
                        {
                            "masks": [
                                {
                                    "position": 6,
                                    "start": 25,
                                    "end": 31,
                                    "predictions": [
                                        {
                                            "score": 0.16,
                                            "token": 3000,
                                            "token_str": "paris",
                                            "sequence": "The capital of France is paris.",
                                        }
                                    ],
                                }
                            ],
                            "tokens": 9,
                        }
                    ],
                }
            ]
        }
    )

    preset: str
    results: list[FilledInput | JointInput] = Field(
        description="What is said of an input depends on `decode`."
    )


def write_filled(filled: FilledText) -> dict[str, Any]:
    """Return the answer for one input whose masks were filled."""
    masks = [
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
    answer = _write(filled.encoding, masks)
    for mask, scores in zip(answer["masks"], filled.scores, strict=True):
        if scores.entropy is not None:
            mask["entropy"] = scores.entropy
            mask["removed_probability"] = scores.removed
    return answer


def write_seen_text(
    write: Callable[[Answer], dict[str, Any]], text: SeenText[Answer]
) -> dict[str, Any]:
    """Return the answer for one input that was seen through windows.

    Args:
        write: returns that for an input that was seen whole.
        text: the input.
    """
    answer = write(text.answer)
    for mask, seen in zip(answer["masks"], text.seen, strict=True):
        mask["seen"] = write_seen(seen)
    return answer | {"truncated": text.is_truncated}


def write_targets(targeted: TargetedText) -> dict[str, Any]:
    """Return the answer for one input whose targets were scored."""
    masks = [
        [_write_target(scored, targeted.spliced_sequence(mask, scored)) for scored in predictions]
        for mask, predictions in enumerate(targeted.masks)
    ]
    return _write(targeted.encoding, masks)


def _write(encoding: Encoding, masks: list[list[dict[str, Any]]]) -> dict[str, Any]:
    places = zip(encoding.mask_positions.tolist(), encoding.mask_spans, masks, strict=True)
    answer: dict[str, Any] = {
        "masks": [
            {"position": position, "start": start, "end": end, "predictions": predictions}
            for position, (start, end), predictions in places
        ],
        "tokens": len(encoding.token_ids),
    }
    for mask, text in zip(answer["masks"], encoding.mask_texts, strict=False):
        mask["part"] = _PARTS[text]
    return answer


def _write_target(scored: ScoredTarget, sequence: str | None) -> dict[str, Any]:
    target = scored.target
    pieces = zip(target.token_ids, target.entries, scored.pieces, strict=False)
    return {
        "target": target.text,
        "match": target.match,
        "score": scored.score,
        "log_prob": scored.log_probability,
        "rank": scored.rank,
        "token": target.token_ids[0] if target.match == "exact" else None,
        "token_str": scored.token_str,
        "sequence": sequence,
        # Empty for one entry: its log-probability is that of the target.
        "pieces": [
            {"token": token, "token_str": entry, "log_prob": log_probability}
            for token, entry, log_probability in pieces
        ]
        or None,
    }
