"""A precision that was tried on a machine, and what it gave."""

from dataclasses import dataclass

LEAST_AGREEMENT = 0.995
"""The share of first predictions that a precision must keep to be chosen by itself."""

MOST_DIFFERENCE = 0.01
"""How far, in the mean, it may move the probability that it moves most."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was measured of a model in one precision; of float32 it is held against itself.

    Attributes:
        precision: the one that was computed in.
        agreement: the share of masks whose first prediction is float32's, near ties included.
        largest_difference: the most that a probability of float32's five likeliest moved.
        mean_difference: the mean over all masks of the most that one of these moved.
        tokens_per_second: of the batches that suit it best.
        speedup: over float32; the geometric mean of that of such batches and that of a lone text.
    """

    precision: str
    agreement: float
    largest_difference: float
    mean_difference: float
    tokens_per_second: float
    speedup: float

    @property
    def is_faithful(self) -> bool:
        """Whether it answers like float32."""
        return self.agreement >= LEAST_AGREEMENT and self.mean_difference <= MOST_DIFFERENCE
