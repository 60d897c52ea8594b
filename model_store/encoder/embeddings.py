"""What stands before the layers: embeddings of tokens, of positions and of segments."""

from functools import partial
from typing import Any

import keras
from keras import ops

from model_store.encoder.config import EncoderConfig
from model_store.encoder.initializer import kernel_initializer

_TRAINED_SHARE = 0.15 * 0.8
"""Of the tokens that are masks in training: of what is to be predicted, a fifth is none."""

_LEAST = 1e-6


@keras.saving.register_keras_serializable(package="fillmask")
class PositionEmbedding(keras.layers.Embedding):  # type: ignore[misc]  # keras ships no types
    """A learnt vector for every position.

    Where one token is skipped, the positions behind it are counted as if it were not there, and the
    last vector is its own.
    """

    def __init__(self, *args: Any, skipped_token: int | None = None, **kwargs: Any) -> None:
        """Create the layer, of which a token may be skipped."""
        super().__init__(*args, **kwargs)
        self.skipped_token = skipped_token

    def call(self, inputs: Any) -> Any:
        """Return what is added to `[rows, length]` token ids, or broadcasts to it."""
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        if self.skipped_token is None:
            return super().call(positions)
        return self.look_up(ops.zeros_like(inputs) + positions, inputs)

    def look_up(self, positions: Any, token_ids: Any) -> Any:
        """Return `[rows, width, output_dim]`.

        Args:
            positions: `[rows, width]` ints, where in its text each token is.
            token_ids: `[rows, width]` ints.
        """
        if self.skipped_token is not None:
            positions = self._skip(positions, token_ids)
        return super().call(positions)

    def _skip(self, positions: Any, token_ids: Any) -> Any:
        is_skipped = token_ids == self.skipped_token
        so_far = ops.cumsum(ops.cast(is_skipped, "int32"), axis=1)
        before = so_far - ops.cast(is_skipped, "int32")
        starts = ops.arange(ops.shape(token_ids)[1], dtype="int32") - positions
        before_text = ops.take_along_axis(before, starts, axis=1)
        return ops.where(is_skipped, self.input_dim - 1, positions - before + before_text)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same layer."""
        return {**super().get_config(), "skipped_token": self.skipped_token}


@keras.saving.register_keras_serializable(package="fillmask")
class TokenDropout(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Leaves the embedding of one token out, and scales the others of its text.

    A text of which the share `s` is that token is scaled by `(1 - 0.12) / (1 - s)`, for 0.12 is
    the share that training had (Lin et al., 2023).
    """

    def __init__(self, token: int, **kwargs: Any) -> None:
        """Create the layer for an id."""
        super().__init__(**kwargs)
        self.token = token

    def call(self, hidden: Any, token_ids: Any, text_numbers: Any) -> Any:
        """Return `[rows, width, dim]` for floats of that shape.

        Args:
            hidden: the embeddings.
            token_ids: `[rows, width]` ints.
            text_numbers: `[rows, width]` ints; tokens of one number are one text.
        """
        dropped = ops.expand_dims(token_ids == self.token, -1)
        # In float32 whatever the layer computes in: bfloat16 counts to 256.
        of_text = ops.cast(text_numbers[:, :, None] == text_numbers[:, None, :], "float32")
        share = ops.matmul(of_text, ops.cast(dropped, "float32")) / ops.sum(
            of_text, axis=-1, keepdims=True
        )
        # Padding may be nothing but such tokens.
        scale = (1 - _TRAINED_SHARE) / ops.maximum(1 - share, _LEAST)
        scale = ops.where(dropped, ops.zeros_like(scale), scale)
        return hidden * ops.cast(scale, hidden.dtype)

    def compute_output_shape(self, hidden_shape: Any, *_: Any) -> Any:
        """Return the shape of the embeddings."""
        return hidden_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same layer."""
        return {**super().get_config(), "token": self.token}


class Embeddings:
    """The layers before the first one of the Transformer; None where a config has none.

    Attributes:
        tokens: a `keras.layers.ReversibleEmbedding`, which can project back.
        positions: a `PositionEmbedding`, or None.
        segments: a `keras.layers.Embedding`, or None.
        layer_norm: of their sum, or None.
        dropout: behind it.
        projection: to the width of the layers, or None.
    """

    def __init__(self, config: EncoderConfig, dtype: Any) -> None:
        """Make the layers that a config asks for, without their weights."""
        positions = partial(PositionEmbedding, skipped_token=config.skipped_token)
        kinds = (
            (keras.layers.ReversibleEmbedding, config.vocabulary_size, "token_embedding"),
            (positions, config.position_rows, "position_embedding"),
            (keras.layers.Embedding, config.num_segments, "segment_embedding"),
        )
        layers: list[Any] = [
            kind(
                rows,
                config.embeddings_width,
                embeddings_initializer=kernel_initializer(),
                dtype=dtype,
                name=name,
            )
            if rows
            else None
            for kind, rows, name in kinds
        ]
        self.tokens, self.positions, self.segments = layers
        self._token_dropout: Any = None
        if config.dropped_token is not None:
            self._token_dropout = TokenDropout(
                config.dropped_token, dtype=dtype, name="token_dropout"
            )
        self.layer_norm: Any = None
        if config.embeddings_norm:
            self.layer_norm = keras.layers.LayerNormalization(
                epsilon=config.layer_norm_epsilon,
                center=config.norm_bias,
                dtype=dtype,
                name="embeddings_layer_norm",
            )
        self.dropout = keras.layers.Dropout(config.dropout, dtype=dtype, name="embeddings_dropout")
        self.projection: Any = None
        if config.embedding_dim is not None:
            self.projection = keras.layers.Dense(
                config.hidden_dim,
                kernel_initializer=kernel_initializer(),
                dtype=dtype,
                name="embedding_projection",
            )

    def __call__(
        self, token_ids: Any, text_numbers: Any, segment_ids: Any, positions: Any = None
    ) -> Any:
        """Return `[rows, width, hidden_dim]` floats.

        Args:
            token_ids: `[rows, width]` ints.
            text_numbers: `[rows, width]` ints; tokens of one number are one text.
            segment_ids: `[rows, width]` ints, which of its text's segments each token is of.
            positions: `[rows, width]` ints, where in its text each token is; None counts along
                the rows.
        """
        hidden = self.tokens(token_ids)
        if self._token_dropout is not None:
            hidden = self._token_dropout(hidden, token_ids, text_numbers)
        if self.segments is not None:
            hidden = hidden + self.segments(segment_ids)
        if self.positions is not None:
            hidden = hidden + (
                self.positions(token_ids)
                if positions is None
                else self.positions.look_up(positions, token_ids)
            )
        if self.layer_norm is not None:
            hidden = self.layer_norm(hidden)
        hidden = self.dropout(hidden)
        return hidden if self.projection is None else self.projection(hidden)
