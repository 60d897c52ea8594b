"""BERT's three embeddings: of tokens, positions and segments."""

from typing import Any

import keras
from keras import ops

from model_store.encoder.transformer_layer import kernel_initializer


@keras.saving.register_keras_serializable(package="fillmask")
class PositionEmbedding(keras.layers.Embedding):  # type: ignore[misc]  # keras ships no types
    """A learnt vector for every position."""

    def call(self, inputs: Any) -> Any:
        """Return `[length, output_dim]` for `[rows, length]` inputs, whatever they hold."""
        return self.look_up(ops.arange(ops.shape(inputs)[1], dtype="int32"))

    def look_up(self, positions: Any) -> Any:
        """Return `[..., output_dim]` for positions `[...]`."""
        return super().call(positions)


def make_embeddings(
    vocabulary_size: int, max_sequence_length: int, num_segments: int, hidden_dim: int, dtype: Any
) -> tuple[Any, Any, Any]:
    """Return the embeddings of tokens, which can project back, of positions and of segments."""
    kinds = (
        (keras.layers.ReversibleEmbedding, vocabulary_size, "token_embedding"),
        (PositionEmbedding, max_sequence_length, "position_embedding"),
        (keras.layers.Embedding, num_segments, "segment_embedding"),
    )
    tokens, positions, segments = (
        kind(
            rows,
            hidden_dim,
            embeddings_initializer=kernel_initializer(),
            dtype=dtype,
            name=name,
        )
        for kind, rows, name in kinds
    )
    return tokens, positions, segments
