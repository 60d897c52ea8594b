"""The few shapes that arrays may have, so that compiling them ends some day."""

_SHORTEST = 16
_FEWEST_TARGETS = 16
_FEWEST_PREDICTIONS = 8


def bucket_rows(rows: int) -> int:
    """Return the number of rows to compute for so many texts: the next power of two."""
    return _next_power(rows, start=1, factor=2)


def bucket_length(length: int, max_sequence_length: int) -> int:
    """Return the length to pad to: the next power of two from 16 on, or the model's limit."""
    return min(_next_power(length, start=_SHORTEST, factor=2), max_sequence_length)


def bucket_masks(masks: int, rows: int) -> int:
    """Return the number of masks to compute: the next power of two, at least one a row."""
    return _next_power(masks, start=rows, factor=2)


def bucket_predictions(k: int, vocabulary_size: int) -> int:
    """Return how many predictions a mask to compute, at most the whole vocabulary."""
    return min(_next_power(k, start=_FEWEST_PREDICTIONS, factor=4), vocabulary_size)


def bucket_targets(targets: int) -> int:
    """Return how many targets a mask to look up; none stays none."""
    return _next_power(targets, start=_FEWEST_TARGETS, factor=4) if targets else 0


def _next_power(value: int, *, start: int, factor: int) -> int:
    """Return the smallest `start * factor**n` that is no less than `value`."""
    while start < value:
        start *= factor
    return start
