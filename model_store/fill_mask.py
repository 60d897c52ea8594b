"""A ready masked LM: texts in, likeliest tokens for every mask out.

    encode -> predict (collate, run, split) -> decode

Encoding and decoding look at one text each and are safe in any thread. `predict` belongs to the
one thread that owns the engine. Keras is not imported here: callers may hold a model's type
without paying for its runtime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model_store.batch import collate, split_scores
from model_store.encoding import Encoding, TextLimits
from model_store.errors import (
    EmptyTextError,
    InferenceError,
    MaskNotFoundError,
    TextTooLongError,
    TooManyMasksError,
    UnknownTargetError,
)
from model_store.filled_text import FilledText, MaskScores
from model_store.shape_buckets import bucket_length, bucket_predictions, bucket_rows

if TYPE_CHECKING:
    from model_store.bert.tokenizer import BertTokenizer
    from model_store.engines import Engine


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a loaded model; `nbytes` are those of its weights in memory."""

    vocabulary_size: int
    max_sequence_length: int
    parameters: int
    nbytes: int
    precision: str


class FillMaskModel:
    """A loaded preset."""

    def __init__(self, engine: "Engine", tokenizer: "BertTokenizer", facts: ModelFacts) -> None:
        """Put an engine and its tokenizer together."""
        self._engine = engine
        self._tokenizer = tokenizer
        self.facts = facts
        self.engine = engine.name
        self.mask_token = tokenizer.special_tokens.mask
        self.mask_token_id = tokenizer.mask_token_id
        self.unk_token_id = tokenizer.unk_token_id

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Return the ids of a text, special tokens included, however long it is: `[tokens]`."""
        return np.asarray(self._tokenizer.encode(text).ids, np.int32)

    def encode(
        self, text: str, *, top_k: int, targets: Sequence[str] | None, limits: TextLimits
    ) -> Encoding:
        """Tokenize a text and look its targets up.

        Raises:
            InputError: the text or a target cannot be used.
        """
        if not text.strip():
            raise EmptyTextError
        if len(text) > limits.max_characters:
            raise TextTooLongError(len(text), limits.max_characters, "characters")
        encoded = self._tokenizer.encode(text)
        token_ids = np.asarray(encoded.ids, np.int32)
        mask_positions = np.flatnonzero(token_ids == self._tokenizer.mask_token_id)
        if not mask_positions.size:
            raise MaskNotFoundError(self.mask_token)
        if token_ids.size > self.facts.max_sequence_length:
            raise TextTooLongError(token_ids.size, self.facts.max_sequence_length, "tokens")
        if mask_positions.size > limits.max_masks:
            raise TooManyMasksError(mask_positions.size, limits.max_masks)
        return Encoding(
            text=text,
            token_ids=token_ids,
            mask_positions=mask_positions,
            mask_spans=tuple(encoded.token_to_chars(int(mask)) for mask in mask_positions),
            target_ids=None if targets is None else self._look_up(targets),
            top_k=top_k,
        )

    def padded_tokens(self, rows: int, longest: int) -> int:
        """Return how many tokens are computed for a batch of so many texts, padding counted."""
        return bucket_rows(rows) * bucket_length(longest, self.facts.max_sequence_length)

    def predict(self, encodings: Sequence[Encoding]) -> list[list[MaskScores]]:
        """Score one batch of texts; for each text, in order, one result a mask.

        Raises:
            InferenceError: the engine returned something that is no number.
        """
        k = max((e.top_k for e in encodings if e.target_ids is None), default=1)
        batch = collate(encodings, self.facts.max_sequence_length)
        scores = self._engine.run(batch, bucket_predictions(k, self.facts.vocabulary_size))
        results = split_scores(encodings, scores)
        if not all(np.isfinite(mask.log_probabilities).all() for text in results for mask in text):
            message = "The model answered with no numbers; its weights are broken, replace them."
            raise InferenceError(message)
        return results

    def decode(self, encoding: Encoding, scores: Sequence[MaskScores]) -> FilledText:
        """Name the candidates for every mask of a text."""
        return FilledText(encoding, scores, self._tokenizer)

    def _look_up(self, targets: Sequence[str]) -> NDArray[np.int32]:
        """Return the ids of targets, each once."""
        ids: dict[int, None] = {}
        for target in targets:
            token_id = self._tokenizer.target_id(target)
            if token_id is None:
                raise UnknownTargetError(target)
            ids[token_id] = None
        return np.fromiter(ids, np.int32, len(ids))
