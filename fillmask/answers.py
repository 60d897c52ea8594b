"""What a loaded model answers, with the names that the fields have over HTTP."""

from dataclasses import dataclass, replace
from itertools import starmap
from typing import Generic, Literal, TypeAlias, TypeVar, get_args

from model_store.tasks.windows.cut_text import SeenText
from model_store.text.filled_text import FilledText as Filled
from model_store.text.target import Match
from model_store.text.targeted_text import ScoredTarget
from model_store.text.targeted_text import TargetedText as Targeted

Part: TypeAlias = Literal["text", "text_pair"]
_PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A candidate for one mask.

    Attributes:
        score: its probability over the whole vocabulary.
        token: its id in the vocabulary.
        token_str: the vocabulary entry; `##` marks the rest of a word.
        sequence: the input with this one mask filled.
    """

    score: float
    token: int
    token_str: str
    sequence: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One of the vocabulary entries that make up a target.

    Attributes:
        token: its id in the vocabulary.
        token_str: the vocabulary entry.
        log_prob: its log-probability, given the pieces before it.
    """

    token: int
    token_str: str
    log_prob: float


@dataclass(frozen=True, slots=True)
class TargetPrediction:
    """A target at one mask; all but `target` and `match` is None where it is unknown.

    Attributes:
        target: as it was given.
        match: `exact`: one vocabulary entry. `pieces`: several, scored as a whole word. `unknown`:
            this vocabulary cannot write it.
        score: its probability over the whole vocabulary.
        log_prob: the natural logarithm of that; of pieces, the sum of theirs.
        rank: one more than the vocabulary entries that are likelier at this mask.
        token: its id in the vocabulary; None unless `exact`.
        token_str: the vocabulary entry, or the target of `pieces`.
        sequence: the input with this one mask filled.
        pieces: what a target of `pieces` is made of; None otherwise.
    """

    target: str
    match: Match
    score: float | None
    log_prob: float | None
    rank: int | None
    token: int | None
    token_str: str | None
    sequence: str | None
    pieces: tuple[Piece, ...] | None


PredictionT = TypeVar("PredictionT", Prediction, TargetPrediction)


@dataclass(frozen=True, slots=True)
class Mask(Generic[PredictionT]):
    """A mask and its candidates.

    Attributes:
        position: its index among the tokens of the input.
        start: where it starts in the input, in characters.
        end: where it ends.
        predictions: the likeliest first; targets that are unknown are last.
        seen: where what the model saw of the input for it starts and ends, in characters; None
            where that is all of it.
        entropy: of all that the vocabulary could fill in, in nats; None without a filter.
        removed_probability: of all entries together that the filter left out; None without one.
        part: of a pair, which text it lies in; `start`, `end` and `sequence` are of that one. None
            of a text alone.
    """

    position: int
    start: int
    end: int
    predictions: tuple[PredictionT, ...]
    seen: tuple[int, int] | None = None
    entropy: float | None = None
    removed_probability: float | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class FilledText(Generic[PredictionT]):
    """An input, its masks, and the candidates for each.

    Attributes:
        text: the input; of a pair, the first one.
        masks: in order.
        tokens: how long it is in tokens, special ones included.
        truncated: whether the model saw less than all of it.
        text_pair: of a pair, the second one.
    """

    text: str
    masks: tuple[Mask[PredictionT], ...]
    tokens: int
    truncated: bool = False
    text_pair: str | None = None


def name_filled(filled: Filled) -> FilledText[Prediction]:
    """Return the answer for one input whose masks were filled."""
    named = _place(
        filled,
        [
            tuple(
                Prediction(p.score, p.token, p.token_str, filled.spliced_sequence(mask, p))
                for p in predictions
            )
            for mask, predictions in enumerate(filled.predictions)
        ],
    )
    masks = (
        replace(mask, entropy=scores.entropy, removed_probability=scores.removed)
        for mask, scores in zip(named.masks, filled.scores, strict=True)
    )
    return replace(named, masks=tuple(masks))


def add_seen(
    named: FilledText[PredictionT], text: SeenText[Filled] | SeenText[Targeted]
) -> FilledText[PredictionT]:
    """Return the answer for one input with what was seen of it, where that is not all."""
    if not text.is_truncated:
        return named
    masks = (replace(mask, seen=seen) for mask, seen in zip(named.masks, text.seen, strict=True))
    return replace(named, masks=tuple(masks), truncated=True)


def name_targeted(targeted: Targeted) -> FilledText[TargetPrediction]:
    """Return the answer for one input whose targets were scored."""
    return _place(
        targeted,
        [
            tuple(_name_target(scored, targeted.spliced_sequence(mask, scored)) for scored in words)
            for mask, words in enumerate(targeted.masks)
        ],
    )


def _name_target(scored: ScoredTarget, sequence: str | None) -> TargetPrediction:
    target = scored.target
    pieces = zip(target.token_ids, target.entries, scored.pieces, strict=False)
    return TargetPrediction(
        target=target.text,
        match=target.match,
        score=scored.score,
        log_prob=scored.log_probability,
        rank=scored.rank,
        token=target.token_ids[0] if target.match == "exact" else None,
        token_str=scored.token_str,
        sequence=sequence,
        # Empty for one entry: its log-probability is that of the target.
        pieces=tuple(starmap(Piece, pieces)) or None,
    )


def _place(
    answered: Filled | Targeted, predictions: list[tuple[PredictionT, ...]]
) -> FilledText[PredictionT]:
    encoding = answered.encoding
    parts: list[Part | None] = [_PARTS[text] for text in encoding.mask_texts]
    masks = tuple(
        Mask(position, start, end, found, part=part)
        for position, (start, end), found, part in zip(
            encoding.mask_positions.tolist(),
            encoding.mask_spans,
            predictions,
            parts or [None] * len(predictions),
            strict=True,
        )
    )
    return FilledText(encoding.text, masks, len(encoding.token_ids), text_pair=encoding.text_pair)
