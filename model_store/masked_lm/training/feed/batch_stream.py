"""The endless stream of batches to train on, whose whole state can be saved."""

import json

import numpy as np

from model_store.checkpoints.checkpoint import Array
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.masked_lm.preprocessor import Example
from model_store.masked_lm.training.feed.corpus import Corpus
from model_store.masked_lm.training.feed.examples import make_rows
from model_store.masked_lm.training.feed.mask_choice import MaskChoice
from model_store.masked_lm.training.feed.row_batches import RowBatches
from model_store.masked_lm.training.options import TrainingOptions


class BatchStream:
    """Draws rows from a bounded buffer and gives a batch as soon as rows of one length suffice."""

    def __init__(self, options: TrainingOptions, tokenizer: SubwordTokenizer) -> None:
        """Stand at the start of the texts.

        Raises:
            ValueError: there is no text file, or one does not exist.
        """
        self._options = options
        self._tokenizer = tokenizer
        self._corpus = Corpus(options.texts)
        self._batches = RowBatches(
            tokenizer,
            sequence_length=options.sequence_length,
            batch_tokens=options.batch_tokens,
            mask_selection_rate=options.mask_selection_rate,
            mask_token_rate=options.mask_token_rate,
            random_token_rate=options.random_token_rate,
            row_lengths=options.row_lengths,
            choice=MaskChoice(options, tokenizer) if options.chooses_masks else None,
        )
        self._rng = np.random.default_rng(options.seed)
        self._buffer: list[list[int]] = []
        self._waiting: dict[int, list[list[int]]] = {}

    def next_batch(self) -> Example:
        """Return the next batch.

        Raises:
            ValueError: the files hold no text.
        """
        while True:
            row = self._draw()
            length = self._batches.length_of(row)
            waiting = self._waiting.setdefault(length, [])
            waiting.append(row)
            if len(waiting) == self._batches.rows_of(length):
                self._waiting[length] = []
                return self._batches.make(waiting, self._rng)

    def state(self) -> dict[str, Array]:
        """Return everything that the next batches depend on."""
        waiting = [row for length in sorted(self._waiting) for row in self._waiting[length]]
        rows = [*self._buffer, *waiting]
        position = {
            "corpus": self._corpus.state(),
            "rng": self._rng.bit_generator.state,
            "buffered": len(self._buffer),
        }
        return {
            "position": np.frombuffer(json.dumps(position).encode(), np.uint8),
            "lengths": np.array([len(row) for row in rows], np.int32),
            "tokens": np.array([token for row in rows for token in row], np.int32),
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Go on where `state` was taken."""
        position = json.loads(state["position"].tobytes())
        self._corpus.restore(position["corpus"])
        self._rng.bit_generator.state = position["rng"]
        ends = np.cumsum(state["lengths"])[:-1]
        rows = [part.tolist() for part in np.split(state["tokens"], ends) if part.size]
        self._buffer = rows[: position["buffered"]]
        self._waiting = {}
        for row in rows[position["buffered"] :]:
            self._waiting.setdefault(self._batches.length_of(row), []).append(row)

    def close(self) -> None:
        """Close the files."""
        self._corpus.close()

    def _draw(self) -> list[int]:
        epoch = self._corpus.epoch
        while len(self._buffer) < self._options.shuffle_buffer:
            self._buffer.extend(
                make_rows(
                    self._corpus.read_document(),
                    self._tokenizer,
                    sequence_length=self._options.sequence_length,
                    short_share=self._options.short_share,
                    rng=self._rng,
                )
            )
            if not self._buffer and self._corpus.epoch > epoch + 1:
                message = "The text files hold no words; give files with one paragraph a line."
                raise ValueError(message)
        # The last row takes the place of the one drawn: removing from the middle would be slow.
        index = int(self._rng.integers(len(self._buffer)))
        self._buffer[index], self._buffer[-1] = self._buffer[-1], self._buffer[index]
        return self._buffer.pop()
