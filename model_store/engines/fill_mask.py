"""A ready masked LM: texts in, likeliest tokens for every mask out.

    encode -> predict (collate, run, split) -> decode

`predict` belongs to the one thread that owns the engine. Keras is not imported here: callers may
hold a model's type without paying for its runtime.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model_store.engines.batches.batch import (
    Batch,
    collate,
    make_blank_batch,
    require_shape,
    split_scores,
)
from model_store.engines.candidate import Candidate
from model_store.errors import InferenceError
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec
from model_store.text.word_filter import WordFilter

if TYPE_CHECKING:
    from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
    from model_store.engines import Engine

_MOST_LOGITS = 2**24
"""How many logits questions may have the host hold at a time, a text's own apart: 64 MiB."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a loaded model.

    Attributes:
        vocabulary_size: how many entries every score is over.
        max_sequence_length: the most tokens of a text.
        num_segments: how many segments it tells apart.
        parameters: how many weights it has.
        nbytes: what they take in memory, in the precision that is computed in.
        precision: that precision, `float32` and the like.
        agreement: the share of masks whose first prediction is that of float32, near ties
            included; None where it was not measured.
        batch_tokens: how many tokens a batch needs to be as fast a token as any.
        candidates: what each precision gave that was tried; none where there was no choice.
        family: of its config, or None where that is not known.
        notice: what it has to do without on this machine, one sentence, or None.
    """

    vocabulary_size: int
    max_sequence_length: int
    parameters: int
    nbytes: int
    precision: str
    agreement: float | None = 1.0
    batch_tokens: int = 4096
    candidates: tuple[Candidate, ...] = ()
    notice: str | None = None
    num_segments: int = 2
    family: str | None = None


class FillMaskModel(TextCodec):
    """A loaded preset."""

    def __init__(self, engine: "Engine", tokenizer: "SubwordTokenizer", facts: ModelFacts) -> None:
        """Put an engine and its tokenizer together."""
        super().__init__(tokenizer, facts.max_sequence_length, facts.num_segments)
        self._engine = engine
        self._words = WordFilter(tokenizer, facts.vocabulary_size)
        self.facts = facts
        self.engine = engine.name

    def collate(self, encodings: Sequence[Encoding]) -> Batch:
        """Lay texts into rows; safe in any thread."""
        return collate(encodings, self._engine.shapes)

    def warm_up(self, max_texts: int, max_tokens: int) -> None:
        """Run every shape that the engine compiles once, within the limits of a batch.

        Args:
            max_texts: how many texts a batch has at the most.
            max_tokens: how many tokens, padding not counted; a text alone may have more.
        """
        shapes = self._engine.shapes
        k = min(shapes.predictions(1), self.facts.vocabulary_size)
        for rows, width in shapes.list_compiled(max_texts, max_tokens, self.max_sequence_length):
            for targets in (0, 1):
                self._engine.run(make_blank_batch(rows, width, targets, shapes), k)

    def make_text(self, length: int) -> Encoding:
        """Return a text of so many tokens that says nothing, with a mask in the middle."""
        token_ids = np.full(length, max(self.unk_token_id, 0), np.int32)
        token_ids[length // 2] = self.mask_token_id
        return Encoding("", token_ids, np.array([length // 2]), ((0, 0),), None, top_k=1)

    def predict(
        self, encodings: Sequence[Encoding], batch: Batch | None = None
    ) -> list[list[MaskScores]]:
        """Score one batch of texts; for each text, in order, one result a mask.

        Args:
            encodings: the texts.
            batch: `collate(encodings)`, where that is at hand.

        Raises:
            InferenceError: the engine failed, or returned something that is no number.
        """
        batch = batch or self.collate(encodings)
        is_large = batch.masks * self.facts.vocabulary_size > _MOST_LOGITS
        if batch.has_questions and is_large and len(encodings) > 1:
            half = len(encodings) // 2
            return self.predict(encodings[:half]) + self.predict(encodings[half:])
        plain = (e.top_k for e in encodings if e.target_ids is None and e.question is None)
        k = max(plain, default=1)
        k = min(self._engine.shapes.predictions(k), self.facts.vocabulary_size)
        try:
            scores = self._engine.run(batch, k)
        except Exception as error:
            # Runtimes raise what they like; whoever runs the server finds it in the log.
            _LOG.exception("engine_failed")
            message = "The engine failed on this batch; send the request again."
            raise InferenceError(message) from error
        require_shape(scores, batch, k)
        results = split_scores(encodings, scores, self._words)
        if not all(_is_finite(mask) for text in results for mask in text):
            message = "The model answered with no numbers; its weights are broken, replace them."
            raise InferenceError(message)
        return results


def _is_finite(scores: MaskScores) -> bool:
    if scores.vector is not None:
        return bool(np.isfinite(scores.vector.values).all())
    entropy = scores.entropy or 0.0
    return math.isfinite(entropy) and bool(np.isfinite(scores.log_probabilities).all())
