"""Measuring a model on text that it has not seen, with masks that never change."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.masked_lm.families import MaskedLM
from model_store.masked_lm.preset import DEFAULT_DIRECTORY
from model_store.masked_lm.training.feed.corpus import Corpus
from model_store.masked_lm.training.feed.examples import make_rows
from model_store.masked_lm.training.feed.row_batches import RowBatches

_SEED = 20_260_101
"""Not an option: numbers that were measured with other masks could not be compared."""

_MASK_SELECTION_RATE = 0.15
_SHORT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a model knows of the held-out text.

    Attributes:
        loss: the mean cross-entropy of a masked token, in nats.
        top1: the share of masks whose token the model puts first.
        top5: the share whose token is among the first five.
        masks: how many there were.
    """

    loss: float
    top1: float
    top5: float
    masks: int


class HeldoutText:
    """A held-out text as batches: 15 % of the tokens are masked, every one by `[MASK]`.

    Only models with one vocabulary can be compared: the loss is one per token.
    """

    def __init__(
        self,
        path: Path,
        tokenizer: SubwordTokenizer,
        *,
        sequence_length: int = 128,
        batch_tokens: int = 4096,
        rows: int = 2000,
    ) -> None:
        """Read at most so many rows of a file.

        Raises:
            ValueError: there is no such file, or no text in it.
        """
        rng = np.random.default_rng(_SEED)
        corpus = Corpus([path])
        self._batches = RowBatches(
            tokenizer,
            sequence_length=sequence_length,
            batch_tokens=batch_tokens,
            mask_selection_rate=_MASK_SELECTION_RATE,
            mask_token_rate=1.0,
            random_token_rate=0.0,
        )
        all_rows = (
            row
            for document in corpus.read_epoch()
            for row in make_rows(
                document,
                tokenizer,
                sequence_length=sequence_length,
                short_share=_SHORT_SHARE,
                rng=rng,
            )
        )
        chosen = sorted(islice(all_rows, rows), key=len)
        corpus.close()
        if not chosen:
            message = f"{path} holds no words; give a file with one paragraph a line."
            raise ValueError(message)
        self.examples = [self._batches.make(batch, rng) for batch in self._cut(chosen)]

    def _cut(self, rows: list[list[int]]) -> Any:
        """Yield rows of one length, no more than a batch holds."""
        start = 0
        while start < len(rows):
            length = self._batches.length_of(rows[start])
            end = start
            while (
                end < len(rows)
                and end - start < self._batches.rows_of(length)
                and self._batches.length_of(rows[end]) == length
            ):
                end += 1
            yield rows[start:end]
            start = end


class HeldoutMeter:
    """Measures one model again and again; it shares the model's weights, not its optimizer."""

    def __init__(self, model: MaskedLM, text: HeldoutText) -> None:
        """Prepare; nothing is computed yet."""
        self._examples = text.examples
        self._model = keras.Model(model.input, model.output)
        self._model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            ),
            weighted_metrics=[
                keras.metrics.SparseCategoricalAccuracy(name="top1"),
                keras.metrics.SparseTopKCategoricalAccuracy(k=5, name="top5"),
            ],
        )

    def measure(self) -> Measurement:
        """Return the loss and accuracies of all masks."""
        totals = {"loss": 0.0, "top1": 0.0, "top5": 0.0}
        masks = 0
        for features, labels, weights in self._examples:
            count = int(weights.sum())
            if not count:
                continue
            self._model.reset_metrics()
            taken = {name: features[name] for name in self._model.input}
            logs = self._model.test_on_batch(taken, labels, weights, return_dict=True)
            masks += count
            for name in totals:
                totals[name] += float(logs[name]) * count
        return Measurement(**{name: total / masks for name, total in totals.items()}, masks=masks)


def measure_preset(
    preset: str,
    heldout: Path,
    *,
    rows: int = 2000,
    directory: Path = DEFAULT_DIRECTORY,
    offline: bool = False,
) -> Measurement:
    """Measure a preset on a held-out text.

    Args:
        preset: a name, a handle or a directory.
        heldout: the text.
        rows: how many rows of it are measured, at most.
        directory: the model store's, where fetched presets are and are put.
        offline: whether no connection may be tried.

    Raises:
        ModelStoreError: the preset cannot be had.
        ValueError: the text cannot, or there are no rows to measure.
    """
    if rows < 1:
        message = f"rows is {rows}; give 1 or more."
        raise ValueError(message)
    model: Any = MaskedLM.from_preset(preset, directory=directory, offline=offline)
    length = min(128, model.backbone.max_sequence_length)
    tokenizer = model.preprocessor.tokenizer.subwords
    text = HeldoutText(heldout, tokenizer, sequence_length=length, rows=rows)
    return HeldoutMeter(model, text).measure()
