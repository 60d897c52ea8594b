"""The encoder of a masked LM: tokens in, one vector a token out."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import keras
from keras import ops

from model_store.checkpoints import read_model, write_keras_backbone
from model_store.encoder.config import EncoderConfig
from model_store.encoder.embeddings import Embeddings
from model_store.encoder.initializer import kernel_initializer
from model_store.encoder.surroundings import Places, Surroundings
from model_store.encoder.transformer_layer import TransformerLayer
from model_store.encoder.variable_shapes import POOLER_KERNEL
from model_store.masked_lm.dtype_policies import describe_policy
from model_store.masked_lm.lora import LoraModel
from model_store.masked_lm.preset import (
    DEFAULT_DIRECTORY,
    Catalogued,
    find_files,
    name_model,
    override,
)
from model_store.masked_lm.stored.weights import assign_weights, read_weights, require_one_file

_ATTRIBUTES = (
    "vocabulary_size",
    "num_layers",
    "num_heads",
    "hidden_dim",
    "intermediate_dim",
    "dropout",
    "max_sequence_length",
    "num_segments",
    "hidden_act",
    "layer_norm_epsilon",
)


class Backbone(LoraModel, Catalogued):
    """The encoder of a masked LM as a functional Keras model.

    Each family has a class of its own; `Backbone.from_preset` gives the right one.

    Inputs, all `[rows, length]` int32: `token_ids`, `padding_mask` (1 at real tokens) and, where
    the family has segments, `segment_ids`. Output: `[rows, length, hidden_dim]` floats; in a
    family with poolers a dictionary with these as `sequence_output` and, where there is a pooler,
    `pooled_output`, `[rows, hidden_dim]` floats, made of the first token.

    Attributes:
        token_embedding: a `keras.layers.ReversibleEmbedding`; so are the attributes
            `position_embedding`, `segment_embedding`, `embeddings_layer_norm`,
            `embeddings_dropout`, `embedding_projection`, `transformer_layers`, `final_layer_norm`
            and `pooled_dense` layers, or None where the encoder has none.
        cls_token_index: where the first token stands, 0.
        presets: the catalogue by name; an attribute of the class.
        differences: the fields of an `EncoderConfig` that are not as in BERT.
        has_pooler: whether the family has one.
    """

    differences: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    has_pooler: ClassVar[bool] = False

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        max_sequence_length: int = 512,
        dtype: Any = None,
        *,
        pooler: bool | None = None,
        name: str | None = None,
        trainable: bool = True,
        **fields: Any,
    ) -> None:
        """Build the encoder with random weights.

        Args:
            vocabulary_size: how many token ids there are.
            num_layers: how many Transformer layers.
            num_heads: how many heads of attention a layer has; they divide `hidden_dim`.
            hidden_dim: the width of the vectors.
            intermediate_dim: the width inside of the feed-forward.
            dropout: the share of numbers that training drops, 0 to 1.
            max_sequence_length: the most tokens a row.
            dtype: Keras' name of a type or a policy, a policy, or a map of policies.
            pooler: whether there is a `pooled_output`; None means where the family has it.
            name: of the model; None makes one of the class's.
            trainable: whether `fit` may change the weights.
            **fields: of an `EncoderConfig`, `hidden_act` and `layer_norm_epsilon` among them;
                those that are missing are as the family has them.

        Raises:
            TypeError: there is no such field.
            ValueError: a number is out of its range, or the heads do not divide the width.
        """
        config = EncoderConfig(
            vocabulary_size,
            num_layers,
            num_heads,
            hidden_dim,
            intermediate_dim,
            max_sequence_length,
            dropout=dropout,
            **{**self.differences, **fields},
        )
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        names = ("token_ids", "padding_mask", *["segment_ids"] * self.has_segments)
        inputs = {key: keras.Input((None,), dtype="int32", name=key) for key in names}
        embeddings = Embeddings(config, policy)
        transformer_layers = [
            TransformerLayer(config, index, dtype=policy, name=f"transformer_layer_{index}")
            for index in range(config.num_layers)
        ]
        final_layer_norm = None
        if config.final_norm:
            final_layer_norm = keras.layers.LayerNormalization(
                epsilon=config.layer_norm_epsilon,
                center=config.norm_bias,
                dtype=policy,
                name="final_layer_norm",
            )
        tokens, padding = inputs["token_ids"], inputs["padding_mask"]
        segments = inputs["segment_ids"] if self.has_segments else ops.zeros_like(tokens)
        hidden = embeddings(tokens, padding, segments)
        for step in config.steps:
            hidden = transformer_layers[step](hidden, padding_mask=padding)
        if final_layer_norm is not None:
            hidden = final_layer_norm(hidden)
        outputs = {"sequence_output": hidden}
        pooled_dense = None
        if self.has_pooler and pooler is not False:
            pooled_dense = keras.layers.Dense(
                config.hidden_dim,
                activation="tanh",
                kernel_initializer=kernel_initializer(),
                dtype=policy,
                name="pooled_dense",
            )
            outputs["pooled_output"] = pooled_dense(hidden[:, 0, :])
        super().__init__(
            inputs=inputs,
            outputs=outputs if self.has_pooler else hidden,
            name=name or name_model(type(self)),
        )
        if not trainable:
            self.trainable = False
        self.dtype_policy = policy
        self._config = config
        self._embed = embeddings
        self.token_embedding = embeddings.tokens
        self.position_embedding = embeddings.positions
        self.segment_embedding = embeddings.segments
        self.embeddings_layer_norm = embeddings.layer_norm
        self.embeddings_dropout = embeddings.dropout
        self.embedding_projection = embeddings.projection
        self.transformer_layers = transformer_layers
        self.final_layer_norm = final_layer_norm
        self.pooled_dense = pooled_dense
        self.cls_token_index = 0
        named = {field: getattr(config, field) for field in _ATTRIBUTES}
        for attribute, value in (named | self.name_arguments(config)).items():
            setattr(self, attribute, value)

    @classmethod
    def name_arguments(cls, config: EncoderConfig) -> dict[str, Any]:
        """Return what the constructor takes to make an encoder of this shape."""
        always = {field: getattr(config, field) for field in _ATTRIBUTES}
        return {**always, **config.list_differences(cls.differences)}

    @classmethod
    def from_encoder_config(
        cls, config: EncoderConfig, *, pooler: bool = False, **kwargs: Any
    ) -> Self:
        """Build the encoder that a checkpoint describes, with random weights.

        Raises:
            ValueError: it is of another family.
        """
        found = cls.find_class(config.family)
        return found(**{**found.name_arguments(config), "pooler": pooler, **kwargs})

    @classmethod
    def from_preset(
        cls,
        preset: str | Path,
        load_weights: bool = True,  # noqa: FBT001, FBT002  # Keras' signature
        *,
        directory: str | Path = DEFAULT_DIRECTORY,
        offline: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Build the encoder of a preset, its head left out.

        Args:
            preset: a name of the catalogue, a handle of its files, or a directory.
            load_weights: whether to take the weights from the files; else they are random.
            directory: the model store's, where fetched files are and are put.
            offline: whether no connection may be tried.
            **kwargs: what the constructor takes, to overrule the preset: `dtype`, `dropout`, ...

        Returns:
            The encoder. It has a `pooled_output` where the files hold a pooler's weights, or where
            the weights are random: there is never a random pooler on trained weights.

        Raises:
            ModelStoreError: there is no such preset, or its files cannot be had or are broken.
            TypeError: the constructor takes no such argument.
            ValueError: the preset is of another family.
        """
        files = find_files(preset, directory=directory, offline=offline)
        config, variables = read_model(files, weights=load_weights, head=False)
        config, kwargs = override(config, kwargs)
        pooler = kwargs.pop("pooler", not load_weights or POOLER_KERNEL in variables)
        backbone = cls.from_encoder_config(config, pooler=pooler, **kwargs)
        if load_weights:
            assign_weights(backbone, variables)
        return backbone

    def to_config(self) -> EncoderConfig:
        """Return the encoder's shape; the head's fields are the defaults."""
        return self._config

    def save_to_preset(self, preset_dir: str | Path, max_shard_size: float | None = 10) -> None:
        """Write the encoder in KerasHub's format, in float32; files that are there are replaced.

        Args:
            preset_dir: where the files are to be.
            max_shard_size: GB; weights that are larger are refused, for they are one file here.

        Raises:
            ValueError: the format cannot say what the model is.
        """
        variables = read_weights(self)
        require_one_file(variables, max_shard_size)
        write_keras_backbone(self.to_config(), variables, Path(preset_dir), self.spelling)

    def encode(self, token_ids: Any, text_numbers: Any, positions: Any, segment_ids: Any) -> Any:
        """Run every layer but the last on rows of texts.

        Args:
            token_ids: `[rows, width]` ints.
            text_numbers: `[rows, width]` ints; a token attends to those of its own number.
            positions: `[rows, width]` ints, where in its text each token is.
            segment_ids: `[rows, width]` ints, which of its text's segments each token is of.

        Returns:
            `[rows, width, hidden_dim]` floats, for `finish_at`.
        """
        hidden = self._embed(token_ids, text_numbers, segment_ids, positions)
        places = Places(text_numbers, positions)
        surroundings = Surroundings(places, places, hidden.dtype)
        for step in self._config.steps[:-1]:
            hidden = self.transformer_layers[step].call_rows(hidden, surroundings)
        return hidden

    def finish_at(
        self, hidden: Any, text_numbers: Any, positions: Any, queries: Any, slots: Any
    ) -> Any:
        """Run the last layer on what `encode` returned, at a few tokens only.

        Args:
            hidden: `[rows, width, hidden_dim]` floats.
            text_numbers: `[rows, width]` ints; a token attends to those of its own number.
            positions: `[rows, width]` ints, where in its text each token is.
            queries: `[rows, queries]` ints, the positions in their rows of the tokens.
            slots: `[chosen]` ints, which of the queries to finish, each `row * queries + query`.

        Returns:
            `[chosen, hidden_dim]` floats.
        """
        asking = ops.take_along_axis(hidden, queries[:, :, None], axis=1)
        places = Places(text_numbers, positions)
        surroundings = Surroundings(places.at(queries), places, hidden.dtype)
        last = self.transformer_layers[self._config.steps[-1]]
        chosen = last.call_at(asking, hidden, surroundings, slots)
        return chosen if self.final_layer_norm is None else self.final_layer_norm(chosen)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same encoder."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": describe_policy(self),
            "pooler": self.pooled_dense is not None,
            **self.name_arguments(self._config),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the same encoder, with random weights."""
        return cls(**config)
