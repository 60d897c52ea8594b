"""One encoder layer of BERT: self-attention and feed-forward, normalised after each residual."""

from typing import Any

import keras
from keras import ops

from model_store.bert.activations import activation


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
        attended = ops.reshape(self._attend(hidden, hidden, padding_mask), ops.shape(hidden))
        return self._transform(hidden, attended, training=training)

    def call_at(self, hidden: Any, padding_mask: Any, positions: Any) -> Any:
        """Encode a few positions only; every token of their rows is still attended to.

        Args:
            hidden: `[rows, length, hidden_dim]` floats.
            padding_mask: `[rows, length]` ints, 1 at real tokens and 0 at padding.
            positions: `[positions]` ints, each `row * length + position`.

        Returns:
            `[positions, hidden_dim]` floats, what `call` returns there without dropout.
        """
        length, hidden_dim = ops.shape(hidden)[1:]
        rows = positions // length
        chosen = ops.take(ops.reshape(hidden, (-1, hidden_dim)), positions, axis=0)
        attended = self._attend(chosen[:, None, :], hidden, padding_mask, rows)
        return self._transform(chosen, ops.reshape(attended, (-1, hidden_dim)))

    def compute_output_shape(
        self, hidden_shape: tuple[int | None, ...], padding_mask_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return `[rows, length, hidden_dim]`; Keras would trace the layer to learn as much."""
        del padding_mask_shape
        return hidden_shape

    def _attend(self, asking: Any, hidden: Any, padding_mask: Any, rows: Any = None) -> Any:
        """Return `[n, queries, num_heads, head_dim]` for `asking`, `[n, queries, hidden_dim]`.

        `rows` says which row of `hidden` each of the `n` looks at, if not the one of its number.
        """
        length, hidden_dim = ops.shape(hidden)[1:]

        def split_heads(projected: Any, tokens: int) -> Any:
            head_dim = hidden_dim // self.num_heads
            return ops.reshape(projected, (-1, tokens, self.num_heads, head_dim))

        def pick(values: Any) -> Any:
            return values if rows is None else ops.take(values, rows, axis=0)

        return ops.dot_product_attention(
            split_heads(self.query(asking), ops.shape(asking)[1]),
            split_heads(pick(self.key(hidden)), length),
            split_heads(pick(self.value(hidden)), length),
            mask=ops.cast(pick(padding_mask), "bool")[:, None, None, :],
        )

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
