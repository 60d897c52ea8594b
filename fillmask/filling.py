"""Which task fills masks, or scores targets there, and its answer under the names of HTTP."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from fillmask.answers import (
    FilledText,
    Prediction,
    TargetPrediction,
    add_seen,
    name_filled,
    name_targeted,
)
from fillmask.runner import Runner
from model_store.errors import InputError
from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.fill import FillRequest
from model_store.tasks.targets import TargetsRequest
from model_store.tasks.windows.request import WindowRequest
from model_store.tasks.windows.targets_request import WindowTargetsRequest
from model_store.text.text_pair import Input

Overflow: TypeAlias = Literal["error", "window"]


def fill(
    runner: Runner,
    inputs: Sequence[Input],
    top_k: int,
    kept: CandidateFilter | None,
    overflow: Overflow,
) -> list[FilledText[Prediction]]:
    """Return the likeliest candidates for every mask.

    Raises:
        InputError: an input, or the filter, cannot be used.
        InferenceError: the engine failed.
    """
    if kept is not None and len(kept.originals) not in {0, len(inputs)}:
        message = "A filter takes no originals, or one for each input."
        raise InputError(message)
    if overflow == "window":
        seen = runner.run(WindowRequest(_require_lone(inputs), top_k, kept))
        return [add_seen(name_filled(text.answer), text) for text in seen]
    return [name_filled(text) for text in runner.run(FillRequest(inputs, top_k, filter=kept))]


def score_targets(
    runner: Runner,
    inputs: Sequence[Input],
    words: list[list[str]],
    top_k: int | None,
    overflow: Overflow,
) -> list[FilledText[TargetPrediction]]:
    """Return how likely words are at every mask.

    Raises:
        InputError: an input or a word cannot be used.
        InferenceError: the engine failed.
    """
    if not inputs:
        return []
    if overflow == "window":
        seen = runner.run(WindowTargetsRequest(_require_lone(inputs), words, top_k))
        return [add_seen(name_targeted(text.answer), text) for text in seen]
    return [name_targeted(text) for text in runner.run(TargetsRequest(inputs, words, top_k))]


def _require_lone(inputs: Sequence[Input]) -> list[str]:
    """Return inputs that are no pairs.

    Raises:
        InputError: one is a pair.
    """
    texts: list[str] = []
    for index, text in enumerate(inputs):
        if not isinstance(text, str):
            message = "A pair is read whole; leave `overflow` out."
            error = InputError(message)
            error.input = index
            raise error
        texts.append(text)
    return texts
