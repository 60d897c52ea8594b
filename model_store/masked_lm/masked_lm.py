"""The masked-LM task: a backbone and a head as one Keras model, which trains on texts."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import keras
from keras.src.saving import serialization_lib

from model_store.checkpoints import Checkpoint, read_model
from model_store.encoder.config import EncoderConfig, HiddenAct
from model_store.encoder.masked_lm_head import MaskedLMHead
from model_store.encoder.variable_shapes import POOLER_KERNEL
from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.dtype_policies import describe_policy
from model_store.masked_lm.preset import (
    DEFAULT_DIRECTORY,
    Catalogued,
    find_files,
    name_model,
    override,
    read_preprocessing,
)
from model_store.masked_lm.stored.model import StoredModel
from model_store.masked_lm.stored.weights import assign_weights
from model_store.masked_lm.texts.text_model import TextModel


class MaskedLM(TextModel, StoredModel, Catalogued):
    """An encoder for masked-language modelling as a functional Keras model.

    Each family has a class of its own; `MaskedLM.from_preset` gives the right one.

    Inputs are the backbone's and `mask_positions`, `[rows, masks]` int32. Output: logits,
    `[rows, masks, vocabulary_size]` float32.

    With a preprocessor, `fit`, `evaluate`, `predict` and their `_on_batch` forms take texts: a list
    or array of strings, a tuple of two such (first and second segments), or an iterable of batches
    of them. Every batch is masked when it is asked for. Without one, they take what `keras.Model`
    takes: the preprocessed features and the ids that stood at `mask_positions`.

    Attributes:
        backbone: the encoder.
        preprocessor: the masker of texts, or None; it may be set.
        masked_lm_head: the head.
        presets: the catalogue by name; an attribute of the class.
        usual_head: of a `MaskedLMHead`, what is not as in BERT's.
    """

    backbone_cls: ClassVar[type[Backbone]] = Backbone
    usual_head: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _was_trained = False

    def __init__(
        self,
        backbone: Backbone,
        preprocessor: Any = None,
        *,
        head_hidden_act: HiddenAct | None = None,
        head_layer_norm_epsilon: float | None = None,
        tie_word_embeddings: bool = True,
        transform_bias: bool | None = None,
        decoder_bias: bool = True,
        compile: bool = True,  # noqa: A002  # Keras' name
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        """Put a head with random weights on a backbone.

        Args:
            backbone: the encoder.
            preprocessor: makes masked batches of texts; None feeds features.
            head_hidden_act: `gelu`, `gelu_new` or `relu`; None is the family's usual one.
            head_layer_norm_epsilon: what keeps the layer normalisation from a division by zero;
                None is the backbone's.
            tie_word_embeddings: whether the head projects with the embeddings of the tokens, or
                with a matrix of its own.
            transform_bias: whether what comes before the projection has a bias; None is as usual.
            decoder_bias: whether every logit has a bias.
            compile: whether to compile with the defaults.
            dtype: what the head computes in; None means what the backbone does.
            name: of the model; None makes one of the class's.
            trainable: whether `fit` may change the weights.

        Raises:
            ValueError: the backbone is of another family, or the preprocessor is none, or makes
                what the backbone cannot take.
        """
        if not (isinstance(backbone, Backbone) and backbone.family == self.family):
            wanted = self.backbone_cls.__name__
            message = f"backbone is a {type(backbone).__name__}; give a fillmask.{wanted}."
            raise ValueError(message)  # one kind of error for every wrong input
        policy = keras.dtype_policies.get(dtype or backbone.dtype_policy)
        config = backbone.to_config()
        usual = {"hidden_act": "gelu", "transform_bias": True, **self.usual_head}
        if head_layer_norm_epsilon is None:
            head_layer_norm_epsilon = config.layer_norm_epsilon
        head = MaskedLMHead(
            hidden_act=head_hidden_act or usual["hidden_act"],
            layer_norm_epsilon=head_layer_norm_epsilon,
            transform_bias=usual["transform_bias"] if transform_bias is None else transform_bias,
            vocabulary_size=backbone.vocabulary_size,
            token_embedding=backbone.token_embedding if tie_word_embeddings else None,
            embedding_dim=config.embedding_dim,
            norm_bias=config.norm_bias,
            decoder_bias=decoder_bias,
            dtype=policy,
            name="masked_lm_head",
        )
        mask_positions = keras.Input((None,), dtype="int32", name="mask_positions")
        encoded = backbone(backbone.input)
        hidden = encoded["sequence_output"] if isinstance(encoded, dict) else encoded
        super().__init__(
            inputs={**backbone.input, "mask_positions": mask_positions},
            outputs=head(hidden, mask_positions),
            name=name or name_model(type(self)),
        )
        self.dtype_policy = policy
        self.backbone = backbone
        self.masked_lm_head = head
        self.preprocessor = preprocessor
        if not trainable:
            self.trainable = False
        if compile:
            self.compile()

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
        """Build the model of a preset, with its preprocessor.

        Args:
            preset: a name of the catalogue, a handle of its files, or a directory.
            load_weights: whether to take the weights from the files; else they are random, and
                the files of weights are not read.
            directory: the model store's, where fetched files are and are put.
            offline: whether no connection may be tried.
            **kwargs: `preprocessor`, None for none; `dtype`, as of a Keras layer; what else the
                constructor takes; and what the backbone's takes, to overrule the preset.

        Raises:
            ModelStoreError: there is no such preset, its files cannot be had or are broken, or
                they hold no masked-LM head.
            TypeError: there is no such argument.
            ValueError: the preset is of another family.
        """
        files = find_files(preset, directory=directory, offline=offline)
        config, variables = read_model(files, weights=load_weights)
        found = cls.find_class(config.family)
        if "preprocessor" not in kwargs:
            family, tokenizer, settings = read_preprocessing(files)
            found = cls.find_class(family, tokenizer)
            kwargs["preprocessor"] = found.preprocessor_cls.from_settings(tokenizer, settings)
        config, kwargs = override(config, kwargs)
        model = found.from_encoder_config(config, pooler=POOLER_KERNEL in variables, **kwargs)
        if load_weights:
            assign_weights(model, variables)
        return model

    @classmethod
    def from_encoder_config(
        cls, config: EncoderConfig, *, dtype: Any = None, pooler: bool = False, **kwargs: Any
    ) -> Self:
        """Build the model that a checkpoint describes, with random weights.

        Raises:
            ValueError: it is of another family.
        """
        found = cls.find_class(config.family)
        return found(
            found.backbone_cls.from_encoder_config(config, dtype=dtype, pooler=pooler),
            head_hidden_act=config.head_hidden_act,
            head_layer_norm_epsilon=config.head_layer_norm_epsilon,
            tie_word_embeddings=config.tie_word_embeddings,
            transform_bias=config.transform_bias,
            decoder_bias=config.decoder_bias,
            **kwargs,
        )

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, **kwargs: Any) -> Self:
        """Build the model of a complete checkpoint, every weight from its files."""
        found = cls.find_class(checkpoint.config.family, checkpoint.tokenizer)
        model = found.from_encoder_config(checkpoint.config, **kwargs)
        assign_weights(model, checkpoint.variables)
        return model

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        *,
        weighted_metrics: Any = "auto",
        **kwargs: Any,
    ) -> None:
        """Configure training; `auto` is Adam at 5e-5, cross-entropy, and accuracy."""
        if optimizer == "auto":
            optimizer = keras.optimizers.Adam(5e-5)
        if loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if weighted_metrics == "auto":
            weighted_metrics = [keras.metrics.SparseCategoricalAccuracy()]
        super().compile(optimizer=optimizer, loss=loss, weighted_metrics=weighted_metrics, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a saved model was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self._was_trained:
            self.optimizer.build(self.trainable_variables)

    def _run_through_graph(
        self, inputs: Any, operation_fn: Any = lambda operation: operation, call_fn: Any = None
    ) -> Any:
        """Run the model; where Keras clones it layer by layer, tie the new head as this one is."""
        backbones: list[Backbone] = []

        def run(operation: Any) -> Any:
            result = operation_fn(operation)
            if result is not operation and isinstance(result, Backbone):
                backbones.append(result)
            if backbones and isinstance(result, MaskedLMHead):
                result.tie(backbones[0])
            return result

        return super()._run_through_graph(inputs, run, call_fn)

    @property
    def trainable_variables(self) -> list[Any]:
        """What `fit` may change: not the pooler, which no masked LM computes."""
        pooler = self.backbone.pooled_dense
        left_out = {id(variable) for variable in pooler.variables} if pooler else set()
        return [v for v in super().trainable_variables if id(v) not in left_out]

    @property
    def trainable_weights(self) -> list[Any]:
        """The same as `trainable_variables`."""
        return self.trainable_variables

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "preprocessor": keras.saving.serialize_keras_object(self.preprocessor),
            "head_hidden_act": self.masked_lm_head.hidden_act,
            "head_layer_norm_epsilon": self.masked_lm_head.layer_norm_epsilon,
            "tie_word_embeddings": self.masked_lm_head.token_embedding is not None,
            "transform_bias": self.masked_lm_head.transform_bias,
            "decoder_bias": self.masked_lm_head.decoder_bias,
            "compile": self.compiled,
            "was_trained": bool(self.compiled and self.optimizer and self.optimizer.built),
            "dtype": describe_policy(self),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Make the same model, with random weights, compiled with the defaults if at all.

        Where Keras loads a file or clones a model, it compiles the model itself as it was.
        """
        config = dict(config)
        was_trained = config.pop("was_trained", False)
        if serialization_lib.in_safe_mode() is not None:
            config["compile"] = False
        parts = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects)
            if isinstance(config.get(part), dict)
            else config.get(part)
            for part in ("backbone", "preprocessor")
        }
        model = cls(**config | parts)
        model._was_trained = was_trained  # a model's own
        return model
