"""Texts in whatever a Keras user keeps them in: strings, lists, arrays, tensors, tuples."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

_MOST_SEGMENTS = 2


def in_tensorflow_graph() -> bool:
    """Say whether TensorFlow traces what runs now, as `tf.data` does; it is not imported here."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and not tensorflow.executing_eagerly()


def is_text(value: Any) -> bool:
    """Say whether a value is one text and no batch of them."""
    shape = getattr(value, "shape", None)
    return isinstance(value, str | bytes) or (shape is not None and len(shape) == 0)


def read_segments(x: Any) -> tuple[list[str], ...]:
    """Return the texts of each segment: one list, or two of one length.

    Raises:
        ValueError: there are more than two segments, or not as many second ones as first ones.
    """
    segments = tuple(read_texts(part) for part in (x if isinstance(x, tuple) else (x,)))
    if not 1 <= len(segments) <= _MOST_SEGMENTS:
        message = f"{len(segments)} segments were given; give one or two."
        raise ValueError(message)
    if len({len(texts) for texts in segments}) > 1:
        message = "The segments differ in number; give as many second ones as first ones."
        raise ValueError(message)
    return segments


def read_texts(value: Any) -> list[str]:
    """Return the texts of one segment.

    Raises:
        ValueError: something is no text.
    """
    if is_text(value):
        value = [value if isinstance(value, str | bytes) else to_array(value).item()]
    return [_read_text(text) for text in _list(value)]


def has_texts(value: Any) -> bool:
    """Say whether there are texts anywhere in a structure."""
    if isinstance(value, dict):
        return any(has_texts(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(has_texts(part) for part in value[:_MOST_SEGMENTS])
    if isinstance(value, str | bytes):
        return True
    dtype = getattr(value, "dtype", None)
    return getattr(dtype, "kind", "") in {"U", "S"} or "string" in str(dtype)


def to_array(value: Any) -> np.ndarray[Any, Any]:
    """Return an array of a tensor of any backend."""
    numpy = getattr(value, "numpy", None)
    return np.asarray(numpy() if numpy else value)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else list(to_array(value).tolist())


def _read_text(value: Any) -> str:
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if isinstance(text, tuple):
        message = "A list of pairs was given; give a pair of lists: tuple(map(list, zip(*pairs)))."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    if not isinstance(text, str):
        message = f"{type(value).__name__} was given for a text; give strings."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    return text
