"""Scores without a model: every state of a text has a distribution of its own for every mask."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

Answer = TypeVar("Answer")


class ScoreTable:
    """A model of a small vocabulary: what it answers follows from the tokens, and from a seed.

    Attributes:
        rounds: how many encodings each round had.
    """

    def __init__(self, vocabulary_size: int, seed: int) -> None:
        """Make a model."""
        self.vocabulary_size = vocabulary_size
        self.rounds: list[int] = []
        self._seed = seed

    def log_probabilities(self, token_ids: Sequence[int], position: int) -> NDArray[np.float32]:
        """Return the distribution at one position: `[vocabulary_size]`."""
        source = np.random.default_rng([self._seed, position, *token_ids])
        logits = 3 * source.standard_normal(self.vocabulary_size)
        return (logits - np.log(np.exp(logits).sum())).astype(np.float32)

    def score(self, encoding: Encoding) -> list[MaskScores]:
        """Answer an encoding, as an engine does."""
        return list(self._score(encoding))

    def drive(self, task: Task[Answer]) -> Answer:
        """Run a task to its end."""
        try:
            encodings = next(task)
            while True:
                self.rounds.append(len(encodings))
                encodings = task.send([self.score(encoding) for encoding in encodings])
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    def _score(self, encoding: Encoding) -> Iterator[MaskScores]:
        for position in encoding.mask_positions.tolist():
            scores = self.log_probabilities(encoding.token_ids.tolist(), position)
            ids = np.arange(self.vocabulary_size)
            asked = ids if encoding.target_ids is None else encoding.target_ids
            best = asked[np.argsort(-scores[asked], kind="stable")][: encoding.top_k]
            yield MaskScores(best.astype(np.int32), scores[best])
