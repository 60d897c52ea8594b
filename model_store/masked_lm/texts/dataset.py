"""Feeding texts to `keras.Model.fit`: batches are masked when they are asked for, never before."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

from model_store.masked_lm.preprocessor import Example, MaskedLMPreprocessor
from model_store.masked_lm.texts.text_inputs import is_text, read_segments

_UNBATCHED = (
    "The data comes one text at a time; give batches of texts: dataset.batch(32), or lists."
)


class MaskedLMDataset(keras.utils.PyDataset):  # type: ignore[misc]  # keras ships no types
    """Texts held in memory, masked anew in every epoch."""

    def __init__(
        self,
        segments: tuple[list[str], ...],
        preprocessor: MaskedLMPreprocessor,
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
    """Batches of texts from an iterable that can be gone through again, as a list can."""

    def __init__(self, batches: Iterable[Any], preprocessor: MaskedLMPreprocessor) -> None:
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
        return _mask_batch(next(self._iterator), self._preprocessor)


def as_dataset(
    x: Any,
    preprocessor: MaskedLMPreprocessor,
    *,
    batch_size: int,
    shuffle: bool = False,
    steps: int | None = None,
) -> Any:
    """Return texts as what `keras.Model.fit` takes.

    Args:
        x: a list or array of strings, a tuple of two such, or an iterable of batches of them.
        preprocessor: masks each batch.
        batch_size: how many rows a batch has; batches that are given keep their size.
        shuffle: whether to change the order of texts, not of batches that are given.
        steps: how many batches are asked for; None asks for all that there are.

    Raises:
        ValueError: `x` holds no texts.
    """
    if isinstance(x, MaskedLMDataset | MaskedLMBatches):
        return x
    if is_tensorflow_dataset(x):
        _check_elements(x.element_spec)
        return x.map(preprocessor)
    if isinstance(x, dict):
        message = "The data is preprocessed already; set the model's preprocessor to None."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    if is_text(x):
        message = "One string was given; give a list of strings."
        raise ValueError(message)
    if not (isinstance(x, Iterable) or hasattr(x, "__getitem__")):
        message = f"A {type(x).__name__} was given; give a list of strings, or batches of them."
        raise ValueError(message)
    if isinstance(x, Iterator):
        return (_mask_batch(batch, preprocessor) for batch in x)
    if _holds_texts(x):
        segments = read_segments(x)
        if not segments[0]:
            message = "There are no texts; give one at least."
            raise ValueError(message)
        return MaskedLMDataset(segments, preprocessor, batch_size=batch_size, shuffle=shuffle)
    if steps is not None and not _knows_its_length(x):
        return _go_round(lambda: iter(x), preprocessor)
    return MaskedLMBatches(x, preprocessor)


def as_validation_dataset(
    data: Any,
    preprocessor: MaskedLMPreprocessor,
    *,
    batch_size: int,
    steps: int | None = None,
) -> Any:
    """Return `fit`'s `validation_data` as what Keras takes.

    Args:
        data: what `as_dataset` takes, but no generator, or `(that,)`. A tuple of two is Keras'
            features and labels: two segments are `((first, second),)`.
        preprocessor: masks each batch.
        batch_size: how many rows a batch has; batches that are given keep their size.
        steps: how many batches are asked for; None asks for all that there are.

    Raises:
        ValueError: it holds labels, no texts, or can be gone through only once.
    """
    x, y, sample_weight = (data, None, None)
    if isinstance(data, tuple):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if y is not None or sample_weight is not None:
        message = (
            "Labels are made from the texts; give validation_data=texts, "
            "or ((first, second),) for two segments."
        )
        raise ValueError(message)
    if isinstance(x, Iterator):
        message = "validation_data is gone through in every epoch; give a list, no generator."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    return as_dataset(x, preprocessor, batch_size=batch_size, steps=steps)


def is_tensorflow_dataset(x: Any) -> bool:
    """Say whether `x` is a `tf.data.Dataset`; TensorFlow is not imported for that."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def split_texts(x: Any, validation_split: float) -> tuple[Any, Any]:
    """Return texts to train on, and the last share of them to validate with, as Keras does.

    Raises:
        ValueError: `x` is an iterable of batches, or a part would be empty.
    """
    if not _holds_texts(x):
        message = "validation_split needs a list or array of texts; give validation_data instead."
        raise ValueError(message)
    segments = read_segments(x)
    first = int(len(segments[0]) * (1 - validation_split))
    if not 0 < first < len(segments[0]):
        message = f"validation_split {validation_split} leaves a part empty; give more texts."
        raise ValueError(message)
    return tuple(texts[:first] for texts in segments), tuple(texts[first:] for texts in segments)


def _holds_texts(x: Any) -> bool:
    """Say whether `x` is texts, or a tuple of them, and no iterable of batches."""
    is_array = hasattr(x, "shape") and hasattr(x, "dtype")
    is_list_of_texts = isinstance(x, list) and (not x or isinstance(x[0], str | bytes))
    return isinstance(x, tuple) or is_array or is_list_of_texts


def _check_elements(spec: Any) -> None:
    """Refuse a `tf.data.Dataset` of what are no batches of texts.

    Raises:
        ValueError: its elements are single texts, or no texts at all.
    """
    if isinstance(spec, dict) or (isinstance(spec, tuple) and isinstance(spec[0], dict)):
        message = "The data is preprocessed already; set the model's preprocessor to None."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    parts = keras.tree.flatten(spec)
    if any(getattr(part.dtype, "name", "") != "string" for part in parts):
        message = "The dataset holds more than texts; give batches of strings, or of pairs of them."
        raise ValueError(message)
    if any(part.shape.rank == 0 for part in parts):
        raise ValueError(_UNBATCHED)


def _mask_batch(batch: Any, preprocessor: MaskedLMPreprocessor) -> Example:
    """Mask a batch of an iterable.

    Raises:
        ValueError: it is no batch of texts.
    """
    first = batch[0] if isinstance(batch, tuple) and batch else batch
    if is_text(first):
        raise ValueError(_UNBATCHED)
    return preprocessor(batch)


def _go_round(
    begin: Callable[[], Iterator[Any]], preprocessor: MaskedLMPreprocessor
) -> Iterator[Example]:
    """Yield masked batches, from the beginning again after the last, for as long as is asked."""
    while True:
        batch = None
        for batch in begin():
            yield _mask_batch(batch, preprocessor)
        if batch is None:
            message = "There are no texts; give one at least."
            raise ValueError(message)


def _knows_its_length(batches: Any) -> bool:
    try:
        return len(batches) < sys.maxsize
    except TypeError:
        return False


def _count(batches: Any) -> int:
    return len(batches) if _knows_its_length(batches) else sum(1 for _ in batches)
