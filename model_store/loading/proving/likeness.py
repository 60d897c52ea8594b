"""How like float32's the answers of another precision are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_store.engines.fill_mask import FillMaskModel
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

NEAR_TIE = 0.05
"""Nats. Which of two candidates so close comes first is chance in float32 as well."""

_LIKELIEST = 5
_BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Likeness:
    """What `compare` finds; see `Candidate` for the fields."""

    agreement: float
    largest_difference: float
    mean_difference: float


def answer(model: FillMaskModel, sample: Sequence[Encoding]) -> list[MaskScores]:
    """Return the candidates for every mask of a sample."""
    return [
        mask
        for start in range(0, len(sample), _BATCH_SIZE)
        for text in model.predict(sample[start : start + _BATCH_SIZE])
        for mask in text
    ]


def compare(expected: Sequence[MaskScores], found: Sequence[MaskScores]) -> Likeness:
    """Hold answers against float32's, mask by mask.

    A first prediction that float32 holds within `NEAR_TIE` of its own agrees.
    """
    pairs = list(zip(expected, found, strict=True))
    differences = [_differ(*pair) for pair in pairs]
    return Likeness(
        agreement=float(np.mean([_agrees(*pair) for pair in pairs])),
        largest_difference=float(np.max(differences)),
        mean_difference=float(np.mean(differences)),
    )


def _agrees(expected: MaskScores, found: MaskScores) -> bool:
    near = expected.log_probabilities >= expected.log_probabilities[0] - NEAR_TIE
    return bool(np.isin(found.token_ids[0], expected.token_ids[near]))


def _differ(expected: MaskScores, found: MaskScores) -> float:
    """Return the most that a probability moved; one that is no candidate any more counts as 0."""
    is_same = expected.token_ids[:_LIKELIEST, None] == found.token_ids
    moved = is_same @ np.exp(found.log_probabilities)
    return float(np.abs(np.exp(expected.log_probabilities[:_LIKELIEST]) - moved).max())
