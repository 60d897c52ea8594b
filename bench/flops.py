"""How many floating-point operations an answer takes: two for each multiply and add of a product.

Softmax, layer norm, GELU and biases are left out, as is usual: a per cent of the whole.
"""

from dataclasses import dataclass

from bench.shapes import Shape


@dataclass(frozen=True, slots=True)
class BatchShape:
    """How many texts of how many tokens, one mask each."""

    rows: int
    length: int

    @property
    def tokens(self) -> int:
        """All tokens of the batch."""
        return self.rows * self.length


def count_full(shape: Shape, batch: BatchShape) -> int:
    """Count every layer on every token, and the head on the masks."""
    per_token = shape.num_layers * (_key_value(shape) + _query_and_on(shape, batch.length))
    return batch.tokens * per_token + batch.rows * _head(shape)


def count_needed(shape: Shape, batch: BatchShape) -> int:
    """Count what no exact engine can leave out.

    Keys and values of the last layer are for every token; its queries and all that follows are
    for the masks only. An engine that computes more gets no credit for it.
    """
    key_value = shape.num_layers * _key_value(shape)
    before = (shape.num_layers - 1) * _query_and_on(shape, batch.length)
    last = _query_and_on(shape, batch.length) + _head(shape)
    return batch.tokens * (key_value + before) + batch.rows * last


def _key_value(shape: Shape) -> int:
    return 2 * 2 * shape.hidden_dim**2


def _query_and_on(shape: Shape, length: int) -> int:
    """Query and output projections, scores and their product with the values, feed-forward."""
    projections = 2 * 2 * shape.hidden_dim**2
    attention = 2 * 2 * length * shape.hidden_dim
    feed_forward = 2 * 2 * shape.hidden_dim * shape.intermediate_dim
    return projections + attention + feed_forward


def _head(shape: Shape) -> int:
    return 2 * shape.hidden_dim**2 + 2 * shape.hidden_dim * shape.vocabulary_size
