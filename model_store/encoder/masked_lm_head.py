"""The masked-LM head: vectors at masked positions in, one logit a vocabulary entry out."""

from typing import Any

import keras
from keras import ops

from model_store.encoder.activations import activation
from model_store.encoder.config import HiddenAct
from model_store.encoder.initializer import kernel_initializer


@keras.saving.register_keras_serializable(package="fillmask")
class MaskedLMHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Gathers the masked positions, transforms them, and projects them on the vocabulary.

    With a `token_embedding`, a `keras.layers.ReversibleEmbedding`, the projection is that layer's
    matrix transposed (Press & Wolf, 2016); without one it is a matrix of its own.
    """

    _is_to_be_tied = False

    def __init__(
        self,
        *,
        vocabulary_size: int,
        hidden_act: HiddenAct,
        layer_norm_epsilon: float,
        token_embedding: Any = None,
        embedding_dim: int | None = None,
        norm_bias: bool = True,
        transform_bias: bool = True,
        decoder_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        """Create the head, tied to `token_embedding` where one is given.

        Args:
            vocabulary_size: how many logits there are.
            hidden_act: the activation behind the transformation.
            layer_norm_epsilon: of the normalisation behind that.
            token_embedding: what to project with, or None for a matrix of its own.
            embedding_dim: the width that is transformed to; None keeps that of the encoder.
            norm_bias: whether the normalisation has a bias.
            transform_bias: whether the transformation has one.
            decoder_bias: whether the logits have one.
            **kwargs: as of any Keras layer.
        """
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.hidden_act = hidden_act
        self.layer_norm_epsilon = layer_norm_epsilon
        self.token_embedding = token_embedding
        self.embedding_dim = embedding_dim
        self.norm_bias = norm_bias
        self.transform_bias = transform_bias
        self.decoder_bias = decoder_bias

    def build(self, input_shape: tuple[int | None, ...], *_: Any) -> None:
        """Create the weights for hidden states of shape `[rows, length, hidden_dim]`."""
        if self._is_to_be_tied:
            message = "The head shares its model's embeddings; make the model, not the head alone."
            raise ValueError(message)
        width = self.embedding_dim or input_shape[-1]
        self.transform = keras.layers.Dense(
            width,
            use_bias=self.transform_bias,
            kernel_initializer=kernel_initializer(),
            dtype=self.dtype_policy,
            name="transform",
        )
        self.transform.build(input_shape)
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon,
            center=self.norm_bias,
            dtype=self.dtype_policy,
            name="layer_norm",
        )
        self.layer_norm.build((*input_shape[:-1], width))
        self.activation = activation(self.hidden_act)
        self.bias = None
        if self.decoder_bias:
            self.bias = self.add_weight(
                shape=(self.vocabulary_size,), initializer="zeros", name="bias"
            )
        if self.token_embedding is None:
            self.decoder = self.add_weight(
                shape=(self.vocabulary_size, width),
                initializer=kernel_initializer(),
                name="decoder",
            )
        self.built = True

    def call(self, hidden: Any, mask_positions: Any) -> Any:
        """Predict.

        Args:
            hidden: `[rows, length, hidden_dim]` floats.
            mask_positions: `[rows, masks]` ints, positions along `length`.

        Returns:
            Logits, `[rows, masks, vocabulary_size]` float32 whatever they were computed in: losses
            and metrics are taken from them.
        """
        return self.project(ops.take_along_axis(hidden, mask_positions[:, :, None], axis=1))

    def project(self, masked: Any) -> Any:
        """Return logits, `[..., vocabulary_size]`, for vectors `[..., hidden_dim]`."""
        masked = self.layer_norm(self.activation(self.transform(masked)))
        if self.token_embedding is None:
            logits = ops.matmul(masked, ops.transpose(ops.cast(self.decoder, masked.dtype)))
        else:
            # The layer itself projects: quantized, its matrix alone means nothing.
            logits = self.token_embedding(masked, reverse=True)
        if self.bias is not None:
            logits = logits + ops.cast(self.bias, logits.dtype)
        return ops.cast(logits, "float32")

    def tie(self, backbone: Any) -> None:
        """Project with the embedding of a backbone, where the config asked for a tied head."""
        if self._is_to_be_tied:
            self.token_embedding = backbone.token_embedding
            self._is_to_be_tied = False

    def compute_output_shape(
        self, hidden_shape: tuple[int | None, ...], mask_positions_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return `[rows, masks, vocabulary_size]`."""
        del hidden_shape
        return (*mask_positions_shape, self.vocabulary_size)

    def compute_output_spec(self, hidden: Any, mask_positions: Any) -> Any:
        """Return the shape, and float32 whatever the layer computes in."""
        shape = self.compute_output_shape(hidden.shape, mask_positions.shape)
        return keras.KerasTensor(shape, "float32")

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same layer."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "hidden_act": self.hidden_act,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "tied": self.token_embedding is not None,
            "embedding_dim": self.embedding_dim,
            "norm_bias": self.norm_bias,
            "transform_bias": self.transform_bias,
            "decoder_bias": self.decoder_bias,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MaskedLMHead":
        """Make the same layer, with random weights; `tie` gives it its embedding."""
        options = dict(config)
        tied = options.pop("tied")
        head = cls(**options)
        head._is_to_be_tied = tied  # a layer's own
        return head
