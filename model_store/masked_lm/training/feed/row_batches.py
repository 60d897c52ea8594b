"""Rows of tokens become masked batches of a few fixed shapes."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.masked_lm.preprocessor import Example
from model_store.masked_lm.texts.token_masking import MaskedTokens, TokenMasker
from model_store.masked_lm.training.feed.mask_choice import MaskChoice

_SHORTEST = 4
"""The power of two of the shortest rows: 16 tokens."""


class RowBatches:
    """Pads and masks rows; how many rows a batch has follows from their length."""

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        *,
        sequence_length: int,
        batch_tokens: int,
        mask_selection_rate: float,
        mask_token_rate: float = 0.8,
        random_token_rate: float = 0.1,
        row_lengths: Sequence[int] = (),
        choice: MaskChoice | None = None,
    ) -> None:
        """Take the options of `TrainingOptions`, and those of `TokenMasker`.

        Without a `choice`, every token is as likely to be masked as any other.
        """
        self._tokenizer = tokenizer
        # Powers of two: a training compiles its steps, and few shapes are enough for it.
        powers = (1 << power for power in range(_SHORTEST, sequence_length.bit_length()))
        lengths = row_lengths or powers
        self._lengths = [*(each for each in lengths if each < sequence_length), sequence_length]
        self._choice = choice
        self._batch_tokens = batch_tokens
        self._mask_selection_rate = mask_selection_rate
        self._rates = {"mask_token_rate": mask_token_rate, "random_token_rate": random_token_rate}
        self._maskers: dict[int, TokenMasker] = {}

    def length_of(self, row: Sequence[int]) -> int:
        """Return the length that a row is padded to."""
        return self._lengths[bisect_left(self._lengths, len(row))]

    def rows_of(self, length: int) -> int:
        """Return how many rows a batch of a length has."""
        return max(1, self._batch_tokens // length)

    def make(self, rows: Sequence[Sequence[int]], rng: np.random.Generator) -> Example:
        """Mask rows of one length; missing rows are padding without a mask.

        Returns:
            Features, labels and weights, as `MaskedLMPreprocessor` returns them.
        """
        length = self.length_of(max(rows, key=len))
        token_ids = np.full((self.rows_of(length), length), self._tokenizer.pad_token_id, np.int32)
        padding_mask = np.zeros(token_ids.shape, np.int32)
        # A padding row has one real token, so that no row attends to nothing.
        padding_mask[:, 0] = 1
        for index, row in enumerate(rows):
            token_ids[index, : len(row)] = row
            padding_mask[index, : len(row)] = 1
        masked = self._mask(token_ids, rows, rng)
        features = {
            "token_ids": masked.token_ids,
            "padding_mask": padding_mask,
            "segment_ids": np.zeros_like(token_ids),
            "mask_positions": masked.mask_positions,
        }
        return features, masked.mask_ids, masked.mask_weights

    def _mask(
        self, token_ids: NDArray[np.int32], rows: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> MaskedTokens:
        masker = self._masker(token_ids.shape[1])
        if self._choice is None:
            return masker.mask(token_ids, rng)
        width = masker.mask_selection_length
        positions = np.zeros((len(token_ids), width), np.int64)
        real = np.zeros(positions.shape, np.bool_)
        for index, row in enumerate(rows):
            chosen = self._choice.choose(row, width, rng)
            positions[index, : len(chosen)] = chosen
            real[index, : len(chosen)] = True
        return masker.replace(token_ids, positions, real, rng)

    def _masker(self, length: int) -> TokenMasker:
        if length not in self._maskers:
            most = max(1, round((length - 2) * self._mask_selection_rate))
            self._maskers[length] = TokenMasker(
                vocabulary_size=self._tokenizer.vocabulary_size,
                mask_token_id=self._tokenizer.mask_token_id,
                unselectable_token_ids=self._tokenizer.special_token_ids,
                mask_selection_rate=self._mask_selection_rate,
                mask_selection_length=most,
                exact=True,
                **self._rates,
            )
        return self._maskers[length]
