"""One encoder layer: self-attention and feed-forward, each added to what went into it."""

from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from model_store.encoder.activations import activation
from model_store.encoder.config import EncoderConfig
from model_store.encoder.initializer import kernel_initializer
from model_store.encoder.surroundings import PaddedSurroundings, Surroundings
from model_store.encoder.variable_shapes import has_attention_norm


@keras.saving.register_keras_serializable(package="fillmask")
class TransformerLayer(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Transformer encoder layer (Vaswani et al., 2017), normalised after each sum as BERT is.

    With `norm_first` it normalises what goes into attention and feed-forward instead.
    """

    def __init__(self, config: EncoderConfig, index: int, **kwargs: Any) -> None:
        """Create the layer of a config that has an index; its width is that of its input."""
        super().__init__(**kwargs)
        is_local = index in config.local_layers
        self.config = config
        self.index = index
        self._reach = config.local_reach if is_local else None
        self._rotary_base = config.local_rotary_base if is_local else config.rotary_base

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the sublayers for inputs of shape `[rows, length, hidden_dim]`."""
        config, hidden_dim = self.config, input_shape[-1]
        wide = (*input_shape[:-1], config.intermediate_dim)
        attention, feedforward = config.attention_bias, config.feedforward_bias
        self.query = self._dense(hidden_dim, "query", input_shape, use_bias=attention)
        self.key = self._dense(hidden_dim, "key", input_shape, use_bias=attention)
        self.value = self._dense(hidden_dim, "value", input_shape, use_bias=attention)
        self.attention_output = self._dense(
            hidden_dim, "attention_output", input_shape, use_bias=attention
        )
        self.attention_layer_norm: Any = None
        if has_attention_norm(config, self.index):
            self.attention_layer_norm = self._layer_norm("attention_layer_norm", input_shape)
        inner_dim = config.intermediate_dim * (2 if config.is_gated else 1)
        self.intermediate = self._dense(
            inner_dim, "intermediate", input_shape, use_bias=feedforward
        )
        self.feedforward_output = self._dense(
            hidden_dim, "feedforward_output", wide, use_bias=feedforward
        )
        self.feedforward_layer_norm = self._layer_norm("feedforward_layer_norm", input_shape)
        self.activation = activation(config.hidden_act)
        self.dropout = keras.layers.Dropout(config.dropout, dtype=self.dtype_policy)
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
        surroundings = PaddedSurroundings(padding_mask, hidden.dtype)
        attended = self._attend(hidden, hidden, surroundings)
        return self._transform(hidden, attended, training=training)

    def call_rows(self, hidden: Any, surroundings: Surroundings) -> Any:
        """Encode rows of texts, without dropout.

        Args:
            hidden: `[rows, width, hidden_dim]` floats.
            surroundings: of the tokens among each other.

        Returns:
            `[rows, width, hidden_dim]` floats.
        """
        return self._transform(hidden, self._attend(hidden, hidden, surroundings))

    def call_at(self, asking: Any, hidden: Any, surroundings: Surroundings, slots: Any) -> Any:
        """Encode a few tokens only; those of their rows are attended to, and stand there once.

        Args:
            asking: `[rows, queries, hidden_dim]` floats, tokens of `hidden`.
            hidden: `[rows, width, hidden_dim]` floats.
            surroundings: of the tokens of `asking` among those of `hidden`.
            slots: `[chosen]` ints, which of the tokens to go on with, each `row * queries + query`.

        Returns:
            `[chosen, hidden_dim]` floats.
        """
        chosen, attended = (
            ops.take(ops.reshape(each, (-1, each.shape[-1])), slots, axis=0)
            for each in (asking, self._attend(asking, hidden, surroundings))
        )
        return self._transform(chosen, attended)

    def compute_output_shape(
        self, hidden_shape: tuple[int | None, ...], padding_mask_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return `[rows, length, hidden_dim]`; Keras would trace the layer to learn as much."""
        del padding_mask_shape
        return hidden_shape

    def _attend(self, asking: Any, hidden: Any, surroundings: Surroundings) -> Any:
        """Return `[rows, queries, hidden_dim]` for `asking` of that shape.

        Plain products instead of `ops.dot_product_attention`: OpenVINO runs them up to a third
        faster, a mask added once a batch included.
        """
        if self.config.norm_first and self.attention_layer_norm is not None:
            all_ask = asking is hidden
            hidden = self.attention_layer_norm(hidden)
            asking = hidden if all_ask else self.attention_layer_norm(asking)
        hidden_dim = hidden.shape[-1]
        head_dim = hidden_dim // self.config.num_heads

        def split_heads(projected: Any) -> Any:
            tokens = ops.shape(projected)[1]
            heads = ops.reshape(projected, (-1, tokens, self.config.num_heads, head_dim))
            return ops.transpose(heads, (0, 2, 1, 3))

        query = split_heads(self.query(asking) * head_dim**-0.5)
        key, value = split_heads(self.key(hidden)), split_heads(self.value(hidden))
        if self._rotary_base is not None:
            query = surroundings.rotate(query, self._rotary_base, asking=True)
            key = surroundings.rotate(key, self._rotary_base, asking=False)
        likeness = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        weights = ops.softmax(likeness + surroundings.bias(self._reach), axis=-1)
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return ops.reshape(attended, (-1, ops.shape(asking)[1], hidden_dim))

    def _transform(self, hidden: Any, attended: Any, *, training: bool | None = None) -> Any:
        """Add what was attended to, then the feed-forward of the sum; normalise around each."""
        attended = self.dropout(self.attention_output(attended), training=training)
        if self.config.norm_first:
            hidden = hidden + attended
            transformed = self._feed_forward(self.feedforward_layer_norm(hidden))
            return hidden + self.dropout(transformed, training=training)
        hidden = self.attention_layer_norm(hidden + attended)
        transformed = self._feed_forward(hidden)
        return self.feedforward_layer_norm(hidden + self.dropout(transformed, training=training))

    def _feed_forward(self, hidden: Any) -> Any:
        inner = self.intermediate(hidden)
        if self.config.is_gated:
            inner, gate = ops.split(inner, 2, axis=-1)
            return self.feedforward_output(self.activation(inner) * gate)
        return self.feedforward_output(self.activation(inner))

    def _dense(
        self, units: int | None, name: str, input_shape: tuple[int | None, ...], *, use_bias: bool
    ) -> Any:
        layer = keras.layers.Dense(
            units,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(input_shape)
        return layer

    def _layer_norm(self, name: str, input_shape: tuple[int | None, ...]) -> Any:
        layer = keras.layers.LayerNormalization(
            epsilon=self.config.layer_norm_epsilon,
            center=self.config.norm_bias,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(input_shape)
        return layer

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same layer."""
        return {**super().get_config(), "config": asdict(self.config), "index": self.index}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TransformerLayer":
        """Make the same layer, with random weights."""
        return cls(**config | {"config": EncoderConfig(**config["config"])})
