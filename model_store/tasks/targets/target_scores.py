"""What is asked about the targets of one text, and what has come back so far."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from model_store.tasks.targets.word_rows import Word, WordRows
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.questions import Ranked
from model_store.text.target import Target
from model_store.text.targeted_text import ScoredTarget, TargetedText
from model_store.text.text_codec import TextCodec


class TargetScores:
    """The targets of one text, on their way to an answer."""

    def __init__(
        self, encoding: Encoding, targets: Sequence[Sequence[Target]], most_rows: int
    ) -> None:
        """Ask nothing yet; `targets` has one list a mask. Rows are counted to `most_rows` and 1."""
        self._encoding = encoding
        self._targets = targets
        # Each is asked for once, and found again by its column.
        self._entries = _number(t.token_ids for mask in targets for t in mask if t.match == "exact")
        self._words = [
            _number(t.token_ids for t in mask if t.match == "pieces") for mask in targets
        ]
        self._rows = WordRows(encoding, self._words, most_rows)
        self._pieces: list[dict[Word, tuple[float, ...]]] = [{} for _ in targets]
        self._scores: Sequence[MaskScores] = ()

    @property
    def is_known(self) -> bool:
        """Whether there is a target that the vocabulary can write."""
        return bool(self._entries) or len(self._rows) > 0

    @property
    def rows(self) -> int:
        """How many rows are asked for, over all rounds."""
        return len(self._rows) + self.is_known

    def count_predictions(self, top_k: int | None) -> int:
        """Return how many targets are answered."""
        return sum(len(mask[:top_k]) for mask in self._targets)

    def encode_words(self, mask_token_id: int) -> list[Encoding]:
        """Return the rows of its words of several pieces."""
        return self._rows.encode(mask_token_id)

    def take_words(self, results: Iterator[list[MaskScores]]) -> None:
        """Take the scores of these rows off all that came."""
        self._pieces = self._rows.read(islice(results, len(self._rows)))

    def encode(self) -> Encoding:
        """Return the text as it is: how likely the entries are, and where the words would rank."""
        thresholds = np.zeros((len(self._words), max(map(len, self._words))), np.float32)
        for row, pieces in zip(thresholds, self._pieces, strict=True):
            row[: len(pieces)] = [sum(word) for word in pieces.values()]
        entries = np.array([entry for (entry,) in self._entries], np.int32)
        return replace(self._encoding, question=Ranked(entries, thresholds))

    def take(self, scores: Sequence[MaskScores]) -> None:
        """Take the scores of the text as it is: one a mask."""
        self._scores = scores

    def answer(self, top_k: int | None, codec: TextCodec) -> TargetedText:
        """Return the likeliest targets of each mask, the unknown last."""
        masks = (
            sorted((self._score(mask, target) for target in targets), key=_unlikelihood)[:top_k]
            for mask, targets in enumerate(self._targets)
        )
        return TargetedText(self._encoding, tuple(map(tuple, masks)), codec)

    def _score(self, mask: int, target: Target) -> ScoredTarget:
        match target.match:
            case "exact":
                scores, column = self._scores[mask], self._entries[target.token_ids]
                log_probability = float(scores.log_probabilities[column])
                return ScoredTarget(target, log_probability, _rank(scores.ranks, column))
            case "pieces":
                column = self._words[mask][target.token_ids]
                pieces = self._pieces[mask][target.token_ids]
                rank = _rank(self._scores[mask].threshold_ranks, column)
                return ScoredTarget(target, sum(pieces), rank, pieces)
            case "unknown":
                return ScoredTarget(target)


def _number(words: Iterable[Word]) -> dict[Word, int]:
    """Return words, each once, with their places in line."""
    return {word: column for column, word in enumerate(dict.fromkeys(words))}


def _rank(ranks: NDArray[np.int32] | None, column: int) -> int:
    return int(np.asarray(ranks)[column])


def _unlikelihood(scored: ScoredTarget) -> float:
    return math.inf if scored.log_probability is None else -scored.log_probability
