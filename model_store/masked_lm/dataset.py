"""Feeding texts to `keras.Model.fit`: batches are masked when they are asked for, never before."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from model_store.masked_lm.preprocessor import (
    BertMaskedLMPreprocessor,
    Example,
    read_segments,
)


class MaskedLMDataset(keras.utils.PyDataset):  # type: ignore[misc]  # keras ships no types
    """Texts held in memory, masked anew in every epoch."""

    def __init__(
        self,
        segments: tuple[list[str], ...],
        preprocessor: BertMaskedLMPreprocessor,
        *,
        batch_size: int,
        shuffle: bool,
    ) -> None:
        """Cut texts into batches; with `shuffle` their order differs in every epoch."""
        super().__init__()
        self._segments = segments
        self._preprocessor = preprocessor
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._order = np.arange(len(segments[0]))
        if shuffle:
            self._preprocessor.rng.shuffle(self._order)

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self._order) / self._batch_size)

    def __getitem__(self, index: int) -> Example:
        """Return a batch; the last one may have fewer rows."""
        start = index * self._batch_size
        rows = self._order[start : start + self._batch_size]
        return self._preprocessor(tuple([texts[row] for row in rows] for texts in self._segments))

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        if self._shuffle:
            self._preprocessor.rng.shuffle(self._order)


class MaskedLMBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras ships no types
    """Batches of texts from an iterable that can be gone through again: a list, a `tf.data`."""

    def __init__(self, batches: Iterable[Any], preprocessor: BertMaskedLMPreprocessor) -> None:
        """Wrap an iterable; one that does not know its length is counted by going through it."""
        super().__init__()
        self._batches = batches
        self._preprocessor = preprocessor
        self._length = _count(batches)
        self._next = 0
        self._iterator: Iterator[Any] = iter(())

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._length

    def __getitem__(self, index: int) -> Example:
        """Return a batch. Keras asks in order, and begins again at 0."""
        if index != self._next or index == 0:
            self._iterator = iter(self._batches)
            for _ in range(index):
                next(self._iterator)
        self._next = index + 1
        return self._preprocessor(next(self._iterator))


def as_dataset(
    x: Any, preprocessor: BertMaskedLMPreprocessor, *, batch_size: int, shuffle: bool
) -> Any:
    """Return texts as what `keras.Model.fit` takes.

    Args:
        x: a list or array of strings, a tuple of two such, or an iterable of batches of them.
        preprocessor: masks each batch.
        batch_size: how many rows a batch has; batches that are given keep their size.
        shuffle: whether to change the order of texts, not of batches that are given.

    Raises:
        ValueError: `x` holds no texts.
    """
    if is_dataset(x):
        return x
    if isinstance(x, dict):
        message = "The data is preprocessed already; make the model with preprocessor=None."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    if isinstance(x, str | bytes):
        message = "One string was given; give a list of strings."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    if isinstance(x, Iterator):
        return (preprocessor(batch) for batch in x)
    if isinstance(x, tuple) or _is_array(x) or _is_list_of_texts(x):
        segments = read_segments(x)
        if not segments[0]:
            message = "There are no texts; give one at least."
            raise ValueError(message)
        return MaskedLMDataset(segments, preprocessor, batch_size=batch_size, shuffle=shuffle)
    return MaskedLMBatches(x, preprocessor)


def as_validation_dataset(
    data: Any, preprocessor: BertMaskedLMPreprocessor, *, batch_size: int
) -> Any:
    """Return `fit`'s `validation_data`, texts or `(texts,)`, as what Keras takes.

    Raises:
        ValueError: it holds labels, no texts, or can be gone through only once.
    """
    if is_dataset(data):
        return data
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if y is not None or sample_weight is not None:
        message = "Labels are made from the texts; give validation_data=(texts,)."
        raise ValueError(message)
    if isinstance(x, Iterator):
        message = "validation_data is gone through in every epoch; give a list, no generator."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    return as_dataset(x, preprocessor, batch_size=batch_size, shuffle=False)


def is_dataset(x: Any) -> bool:
    """Say whether `x` is masked batches already."""
    return isinstance(x, MaskedLMDataset | MaskedLMBatches)


def split_texts(x: Any, validation_split: float) -> tuple[Any, Any]:
    """Return texts to train on, and the last share of them to validate with, as Keras does.

    Raises:
        ValueError: `x` is an iterable of batches, or a part would be empty.
    """
    if not (isinstance(x, tuple) or _is_array(x) or _is_list_of_texts(x)):
        message = "validation_split needs a list or array of texts; give validation_data instead."
        raise ValueError(message)
    segments = read_segments(x)
    first = int(len(segments[0]) * (1 - validation_split))
    if not 0 < first < len(segments[0]):
        message = f"validation_split {validation_split} leaves a part empty; give more texts."
        raise ValueError(message)
    return tuple(texts[:first] for texts in segments), tuple(texts[first:] for texts in segments)


def _is_array(x: Any) -> bool:
    """Say whether `x` is an array or tensor of strings; a `tf.data.Dataset` has no shape."""
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _is_list_of_texts(x: Any) -> bool:
    return isinstance(x, list) and (not x or isinstance(x[0], str | bytes))


def _count(batches: Any) -> int:
    try:
        return len(batches)
    except TypeError:
        return sum(1 for _ in batches)
