"""One encoder layer of BERT: self-attention and feed-forward, normalised after each residual."""

from typing import Any

import keras
from keras import ops

from model_store.encoder.activations import activation

_FORBIDDEN = -3e4
"""Added to the scores of attention: `exp` of it is 0 in every precision."""


@keras.saving.register_keras_serializable(package="fillmask")
class TransformerLayer(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Post-norm Transformer encoder layer (Vaswani et al., 2017; Devlin et al., 2019)."""

    def __init__(
        self,
        *,
        num_heads: int,
        intermediate_dim: int,
        dropout: float,
        hidden_act: str,
        layer_norm_epsilon: float,
        **kwargs: Any,
    ) -> None:
        """Create the layer; its width is that of its input."""
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout_rate = dropout
        self.hidden_act = hidden_act
        self.layer_norm_epsilon = layer_norm_epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the sublayers for inputs of shape `[rows, length, hidden_dim]`."""
        hidden_dim = input_shape[-1]
        wide = (*input_shape[:-1], self.intermediate_dim)
        self.query = self._dense(hidden_dim, "query", input_shape)
        self.key = self._dense(hidden_dim, "key", input_shape)
        self.value = self._dense(hidden_dim, "value", input_shape)
        self.attention_output = self._dense(hidden_dim, "attention_output", input_shape)
        self.attention_layer_norm = self._layer_norm("attention_layer_norm", input_shape)
        self.intermediate = self._dense(self.intermediate_dim, "intermediate", input_shape)
        self.feedforward_output = self._dense(hidden_dim, "feedforward_output", wide)
        self.feedforward_layer_norm = self._layer_norm("feedforward_layer_norm", input_shape)
        self.activation = activation(self.hidden_act)
        self.dropout = keras.layers.Dropout(self.dropout_rate, dtype=self.dtype_policy)
        self.built = True

    def call(  # Keras passes `training` like this
        self,
        hidden: Any,
        padding_mask: Any,
        training: bool | None = None,  # noqa: FBT001
    ) -> Any:
        """Encode.

        Args:
            hidden: `[rows, length, hidden_dim]` floats.
            padding_mask: `[rows, length]` ints, 1 at real tokens and 0 at padding.
            training: whether dropout is on.

        Returns:
            `[rows, length, hidden_dim]` floats.
        """
        attended = self._attend(hidden, hidden, _within_padding(padding_mask, hidden.dtype))
        return self._transform(hidden, attended, training=training)

    def call_rows(self, hidden: Any, bias: Any) -> Any:
        """Encode rows of texts, without dropout.

        Args:
            hidden: `[rows, width, hidden_dim]` floats.
            bias: `[rows, 1, width, width]` floats, added to the scores of attention.

        Returns:
            `[rows, width, hidden_dim]` floats.
        """
        return self._transform(hidden, self._attend(hidden, hidden, bias))

    def call_at(self, asking: Any, hidden: Any, bias: Any, slots: Any) -> Any:
        """Encode a few tokens only; those of their rows are attended to, and stand there once.

        Args:
            asking: `[rows, queries, hidden_dim]` floats, tokens of `hidden`.
            hidden: `[rows, width, hidden_dim]` floats.
            bias: `[rows, 1, queries, width]` floats, added to the scores of attention.
            slots: `[chosen]` ints, which of the tokens to go on with, each `row * queries + query`.

        Returns:
            `[chosen, hidden_dim]` floats.
        """
        chosen, attended = (
            ops.take(ops.reshape(each, (-1, each.shape[-1])), slots, axis=0)
            for each in (asking, self._attend(asking, hidden, bias))
        )
        return self._transform(chosen, attended)

    def compute_output_shape(
        self, hidden_shape: tuple[int | None, ...], padding_mask_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return `[rows, length, hidden_dim]`; Keras would trace the layer to learn as much."""
        del padding_mask_shape
        return hidden_shape

    def _attend(self, asking: Any, hidden: Any, bias: Any) -> Any:
        """Return `[rows, queries, hidden_dim]` for `asking` of that shape.

        Plain products instead of `ops.dot_product_attention`: OpenVINO runs them up to a third
        faster, a mask added once a batch included.
        """
        hidden_dim = hidden.shape[-1]
        head_dim = hidden_dim // self.num_heads

        def split_heads(projected: Any, axes: tuple[int, ...]) -> Any:
            tokens = ops.shape(projected)[1]
            heads = ops.reshape(projected, (-1, tokens, self.num_heads, head_dim))
            return ops.transpose(heads, axes)

        query = split_heads(self.query(asking) * head_dim**-0.5, (0, 2, 1, 3))
        key = split_heads(self.key(hidden), (0, 2, 3, 1))
        value = split_heads(self.value(hidden), (0, 2, 1, 3))
        weights = ops.softmax(ops.matmul(query, key) + bias, axis=-1)
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return ops.reshape(attended, (-1, ops.shape(asking)[1], hidden_dim))

    def _transform(self, hidden: Any, attended: Any, *, training: bool | None = None) -> Any:
        """Add what was attended to, then the feed-forward of the sum; normalise after each."""
        attended = self.dropout(self.attention_output(attended), training=training)
        hidden = self.attention_layer_norm(hidden + attended)
        transformed = self.feedforward_output(self.activation(self.intermediate(hidden)))
        return self.feedforward_layer_norm(hidden + self.dropout(transformed, training=training))

    def _dense(self, units: int | None, name: str, input_shape: tuple[int | None, ...]) -> Any:
        layer = keras.layers.Dense(
            units, kernel_initializer=kernel_initializer(), dtype=self.dtype_policy, name=name
        )
        layer.build(input_shape)
        return layer

    def _layer_norm(self, name: str, input_shape: tuple[int | None, ...]) -> Any:
        layer = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )
        layer.build(input_shape)
        return layer

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same layer."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout_rate,
            "hidden_act": self.hidden_act,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }


def kernel_initializer() -> Any:
    """Return BERT's initializer: a normal distribution truncated at two deviations of 0.02."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def within_texts(asking: Any, asked: Any, dtype: Any) -> Any:
    """Return the bias that keeps attention within texts.

    Args:
        asking: `[rows, queries]` ints, the texts' numbers.
        asked: `[rows, width]` ints, likewise.
        dtype: of the scores.

    Returns:
        `[rows, 1, queries, width]`: 0 where both numbers are one, elsewhere far below any score.
    """
    return _forbid(asking[:, None, :, None] != asked[:, None, None, :], dtype)


def _within_padding(padding_mask: Any, dtype: Any) -> Any:
    """Return `[rows, 1, 1, length]`, which keeps attention from padding."""
    return _forbid(padding_mask[:, None, None, :] == 0, dtype)


def _forbid(forbidden: Any, dtype: Any) -> Any:
    # No infinity: where all is forbidden, a softmax of it would be no number. It fits float16.
    return ops.cast(forbidden, dtype) * _FORBIDDEN
