"""Scores without a model, also for those who ask for ranks."""

import numpy as np

from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.questions import Ranked
from score_tables import ScoreTable


class RankedTable(ScoreTable):
    """A table that answers `Ranked` as an engine does.

    Attributes:
        asked: every encoding that it was asked, in order.
    """

    def __init__(self, vocabulary_size: int, seed: int = 0) -> None:
        """Make a model."""
        super().__init__(vocabulary_size, seed)
        self.asked: list[Encoding] = []

    def score(self, encoding: Encoding) -> list[MaskScores]:
        """Answer an encoding."""
        self.asked.append(encoding)
        question = encoding.question
        if not isinstance(question, Ranked):
            return super().score(encoding)
        positions = encoding.mask_positions.tolist()
        thresholds = np.broadcast_to(
            question.thresholds, (len(positions), question.thresholds.shape[-1])
        )
        answers = []
        for position, limits in zip(positions, thresholds, strict=True):
            scores = self.log_probabilities(encoding.token_ids.tolist(), position)
            found = scores[question.target_ids]
            answers.append(
                MaskScores(
                    question.target_ids,
                    found,
                    ranks=count_above(scores, found),
                    threshold_ranks=count_above(scores, limits),
                )
            )
        return answers


def count_above(scores: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return one more than the scores above each limit."""
    return 1 + (scores[None, :] > limits[:, None]).sum(axis=1).astype(np.int32)
