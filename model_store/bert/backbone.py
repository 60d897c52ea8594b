"""BERT's encoder: tokens in, one vector a token out."""

from typing import Any

import keras
from keras import ops

from model_store.bert.config import BertConfig, HiddenAct
from model_store.bert.transformer_layer import (
    TransformerLayer,
    kernel_initializer,
    within_texts,
)


@keras.saving.register_keras_serializable(package="fillmask")
class PositionEmbedding(keras.layers.Embedding):  # type: ignore[misc]  # keras ships no types
    """A learnt vector for every position."""

    def call(self, inputs: Any) -> Any:
        """Return `[length, output_dim]` for `[rows, length]` inputs, whatever they hold."""
        return self.look_up(ops.arange(ops.shape(inputs)[1], dtype="int32"))

    def look_up(self, positions: Any) -> Any:
        """Return `[..., output_dim]` for positions `[...]`."""
        return super().call(positions)


@keras.saving.register_keras_serializable(package="fillmask")
class BertBackbone(keras.Model):  # type: ignore[misc]  # keras ships no types
    """A BERT encoder (Devlin et al., 2019) as a functional Keras model, without the pooler.

    Inputs, all `[rows, length]` int32: `token_ids`, `segment_ids`, and `padding_mask` (1 at real
    tokens). Output: `sequence_output`, `[rows, length, hidden_dim]` floats.
    """

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        max_sequence_length: int = 512,
        num_segments: int = 2,
        hidden_act: HiddenAct = "gelu",
        layer_norm_epsilon: float = 1e-12,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Build the encoder with random weights; `dtype` is Keras' name of a type or a policy."""
        dtype = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("token_ids", "segment_ids", "padding_mask")
        }
        token_embedding = _embedding(
            keras.layers.Embedding, vocabulary_size, hidden_dim, "token", dtype
        )
        position_embedding = _embedding(
            PositionEmbedding, max_sequence_length, hidden_dim, "position", dtype
        )
        segment_embedding = _embedding(
            keras.layers.Embedding, num_segments, hidden_dim, "segment", dtype
        )
        hidden = (
            token_embedding(inputs["token_ids"])
            + segment_embedding(inputs["segment_ids"])
            + position_embedding(inputs["token_ids"])
        )
        hidden = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=dtype, name="embeddings_layer_norm"
        )(hidden)
        hidden = keras.layers.Dropout(dropout, dtype=dtype, name="embeddings_dropout")(hidden)
        for index in range(num_layers):
            hidden = TransformerLayer(
                num_heads=num_heads,
                intermediate_dim=intermediate_dim,
                dropout=dropout,
                hidden_act=hidden_act,
                layer_norm_epsilon=layer_norm_epsilon,
                dtype=dtype,
                name=f"transformer_layer_{index}",
            )(hidden, padding_mask=inputs["padding_mask"])
        kwargs.setdefault("name", "bert_backbone")
        super().__init__(inputs=inputs, outputs={"sequence_output": hidden}, **kwargs)
        self.dtype_policy = dtype
        self.token_embedding = token_embedding
        self.vocabulary_size = vocabulary_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.hidden_act = hidden_act
        self.layer_norm_epsilon = layer_norm_epsilon

    @classmethod
    def from_bert_config(cls, config: BertConfig, *, dtype: Any = None) -> "BertBackbone":
        """Build the encoder that a checkpoint describes, with random weights."""
        return cls(
            vocabulary_size=config.vocabulary_size,
            num_layers=config.num_layers,
            num_heads=config.num_heads,
            hidden_dim=config.hidden_dim,
            intermediate_dim=config.intermediate_dim,
            dropout=config.dropout,
            max_sequence_length=config.max_sequence_length,
            num_segments=config.num_segments,
            hidden_act=config.hidden_act,
            layer_norm_epsilon=config.layer_norm_epsilon,
            dtype=dtype,
        )

    def encode(self, token_ids: Any, text_numbers: Any, positions: Any) -> Any:
        """Run every layer but the last on rows of texts, each of one segment.

        Args:
            token_ids: `[rows, width]` ints.
            text_numbers: `[rows, width]` ints; a token attends to those of its own number.
            positions: `[rows, width]` ints, where in its text each token is.

        Returns:
            `[rows, width, hidden_dim]` floats, for `finish_at`.
        """
        hidden = (
            self.token_embedding(token_ids)
            + self.get_layer("segment_embedding")(ops.zeros_like(token_ids))
            + self.get_layer("position_embedding").look_up(positions)
        )
        hidden = self.get_layer("embeddings_layer_norm")(hidden)
        bias = within_texts(text_numbers, text_numbers, hidden.dtype)
        for index in range(self.num_layers - 1):
            hidden = self.get_layer(f"transformer_layer_{index}").call_rows(hidden, bias)
        return hidden

    def finish_at(self, hidden: Any, text_numbers: Any, queries: Any, slots: Any) -> Any:
        """Run the last layer on what `encode` returned, at a few tokens only.

        Args:
            hidden: `[rows, width, hidden_dim]` floats.
            text_numbers: `[rows, width]` ints; a token attends to those of its own number.
            queries: `[rows, queries]` ints, the positions in their rows of the tokens.
            slots: `[chosen]` ints, which of the queries to finish, each `row * queries + query`.

        Returns:
            `[chosen, hidden_dim]` floats.
        """
        asking = ops.take_along_axis(hidden, queries[:, :, None], axis=1)
        numbers = ops.take_along_axis(text_numbers, queries, axis=1)
        bias = within_texts(numbers, text_numbers, hidden.dtype)
        last = self.get_layer(f"transformer_layer_{self.num_layers - 1}")
        return last.call_at(asking, hidden, bias, slots)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same encoder."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary_size": self.vocabulary_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "max_sequence_length": self.max_sequence_length,
            "num_segments": self.num_segments,
            "hidden_act": self.hidden_act,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }


def _embedding(layer: Any, input_dim: int, output_dim: int, name: str, dtype: Any) -> Any:
    return layer(
        input_dim,
        output_dim,
        embeddings_initializer=kernel_initializer(),
        dtype=dtype,
        name=f"{name}_embedding",
    )
