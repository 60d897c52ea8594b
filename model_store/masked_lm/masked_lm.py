"""The masked-LM task: a backbone and a head as one Keras model, which trains on texts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from model_store.bert.backbone import BertBackbone
from model_store.bert.config import BertConfig, HiddenAct
from model_store.bert.masked_lm_head import MaskedLMHead
from model_store.catalog import CatalogEntry, read_catalog
from model_store.checkpoints import Checkpoint, read_checkpoint, write_keras_preset
from model_store.masked_lm.dataset import (
    as_dataset,
    as_validation_dataset,
    is_dataset,
    split_texts,
)
from model_store.masked_lm.preprocessor import BertMaskedLMPreprocessor
from model_store.resolver import DEFAULT_DIRECTORY, resolve

_BATCH_SIZE = 32
"""Keras' own default."""


class _PresetsProperty:
    """Makes `BertMaskedLM.presets` readable on the class, as in KerasHub."""

    def __get__(self, instance: Any, owner: type) -> Mapping[str, CatalogEntry]:
        return read_catalog()


@keras.saving.register_keras_serializable(package="fillmask")
class BertMaskedLM(keras.Model):  # type: ignore[misc]  # keras ships no types
    """BERT for masked-language modelling as a functional Keras model.

    Inputs are the backbone's and `mask_positions`, `[rows, masks]` int32. Output: logits,
    `[rows, masks, vocabulary_size]` floats.

    With a preprocessor, `fit`, `evaluate` and `predict` take texts: a list or array of strings,
    a tuple of two such (first and second segments), or an iterable of batches of them. Every
    batch is masked when it is asked for. Without one, they take what `keras.Model` takes: the
    preprocessed features and the ids that stood at `mask_positions`.

    Attributes:
        backbone: the encoder.
        preprocessor: the masker of texts, or None.
        masked_lm_head: the head.
        presets: the catalogue by name; an attribute of the class.
    """

    presets = _PresetsProperty()

    def __init__(
        self,
        backbone: BertBackbone,
        preprocessor: BertMaskedLMPreprocessor | None = None,
        *,
        head_hidden_act: HiddenAct = "gelu",
        head_layer_norm_epsilon: float = 1e-12,
        tie_word_embeddings: bool = True,
        **kwargs: Any,
    ) -> None:
        """Put a head with random weights on a backbone, and compile with the defaults."""
        head = MaskedLMHead(
            vocabulary_size=backbone.vocabulary_size,
            hidden_act=head_hidden_act,
            layer_norm_epsilon=head_layer_norm_epsilon,
            token_embedding=backbone.token_embedding if tie_word_embeddings else None,
            dtype=backbone.dtype_policy,
            name="masked_lm_head",
        )
        mask_positions = keras.Input((None,), dtype="int32", name="mask_positions")
        hidden = backbone(backbone.input)["sequence_output"]
        kwargs.setdefault("name", "bert_masked_lm")
        super().__init__(
            inputs={**backbone.input, "mask_positions": mask_positions},
            outputs=head(hidden, mask_positions),
            **kwargs,
        )
        self.dtype_policy = backbone.dtype_policy
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.masked_lm_head = head
        self.compile()

    @classmethod
    def from_preset(
        cls,
        preset: str | Path,
        *,
        load_weights: bool = True,
        directory: str | Path = DEFAULT_DIRECTORY,
        offline: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Build the model of a preset, with a preprocessor for its tokenizer.

        Args:
            preset: a name of the catalogue, a handle of its files, or a directory.
            load_weights: whether to take the weights from the files; else they are random, and
                the files of weights are not read.
            directory: the model store's, where fetched files are and are put.
            offline: whether no connection may be tried.
            **kwargs: `preprocessor`, None for none; `dtype`, as of a Keras layer; and what
                `keras.Model` takes.

        Raises:
            ModelStoreError: there is no such preset, its files cannot be had or are broken, or
                they hold no masked-LM head.
        """
        files = resolve(str(preset), directory=Path(directory), offline=offline)
        checkpoint = read_checkpoint(files, weights=load_weights)
        if "preprocessor" not in kwargs:
            kwargs["preprocessor"] = BertMaskedLMPreprocessor(
                checkpoint.tokenizer, checkpoint.config.max_sequence_length
            )
        if load_weights:
            return cls.from_checkpoint(checkpoint, **kwargs)
        return cls.from_bert_config(checkpoint.config, **kwargs)

    @classmethod
    def from_bert_config(
        cls, config: BertConfig, *, dtype: Any = None, **kwargs: Any
    ) -> "BertMaskedLM":
        """Build the model that a checkpoint describes, with random weights."""
        return cls(
            BertBackbone.from_bert_config(config, dtype=dtype),
            head_hidden_act=config.head_hidden_act,
            head_layer_norm_epsilon=config.head_layer_norm_epsilon,
            tie_word_embeddings=config.tie_word_embeddings,
            **kwargs,
        )

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, **kwargs: Any) -> "BertMaskedLM":
        """Build the model of a complete checkpoint, every weight from its files."""
        model = cls.from_bert_config(checkpoint.config, **kwargs)
        for weight in model.weights:
            weight.assign(checkpoint.variables[weight.path])
        return model

    def to_checkpoint(self) -> Checkpoint:
        """Return the model's shape, tokenizer and weights, as a checkpoint format writes them.

        Raises:
            ValueError: there is no preprocessor, and so no tokenizer.
        """
        if self.preprocessor is None:
            message = "The model has no tokenizer; set its preprocessor before saving it."
            raise ValueError(message)
        backbone, head = self.backbone, self.masked_lm_head
        config = BertConfig(
            vocabulary_size=backbone.vocabulary_size,
            num_layers=backbone.num_layers,
            num_heads=backbone.num_heads,
            hidden_dim=backbone.hidden_dim,
            intermediate_dim=backbone.intermediate_dim,
            max_sequence_length=backbone.max_sequence_length,
            num_segments=backbone.num_segments,
            dropout=backbone.dropout,
            hidden_act=backbone.hidden_act,
            layer_norm_epsilon=backbone.layer_norm_epsilon,
            head_hidden_act=head.hidden_act,
            head_layer_norm_epsilon=head.layer_norm_epsilon,
            tie_word_embeddings=head.token_embedding is not None,
        )
        variables = {
            weight.path: keras.ops.convert_to_numpy(weight.value) for weight in self.weights
        }
        return Checkpoint(config, self.preprocessor.tokenizer, variables)

    def save_to_preset(self, directory: str | Path) -> None:
        """Write the model and its tokenizer in KerasHub's format.

        Raises:
            ValueError: there is no preprocessor, or the format cannot say what the model is.
        """
        write_keras_preset(self.to_checkpoint(), Path(directory))

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

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Train, as `keras.Model.fit`; texts where there is a preprocessor.

        `validation_data` is then texts likewise, or `(texts,)`; two segments are
        `((first, second),)`.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        if self.preprocessor is None:
            return super().fit(x, y, batch_size, *args, **kwargs)
        split = kwargs.pop("validation_split", 0.0)
        if split:
            x, held_back = split_texts(x, split)
            kwargs["validation_data"] = (held_back,)
        if kwargs.get("validation_data") is not None:
            rows = kwargs.pop("validation_batch_size", None) or batch_size or _BATCH_SIZE
            kwargs["validation_data"] = as_validation_dataset(
                kwargs["validation_data"], self.preprocessor, batch_size=rows
            )
        # Texts are shuffled one by one; Keras would shuffle whole batches.
        shuffle = kwargs.pop("shuffle", True)
        dataset = self._feed(x, y, batch_size, kwargs=kwargs, shuffle=shuffle)
        return super().fit(dataset, None, None, *args, shuffle=False, **kwargs)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Measure, as `keras.Model.evaluate`; texts where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        if self.preprocessor is None or is_dataset(x):
            return super().evaluate(x, y, batch_size, **kwargs)
        return super().evaluate(self._feed(x, y, batch_size, kwargs=kwargs), **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Return the logits at the masks, as `keras.Model.predict`.

        Texts are masked where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        if self.preprocessor is None:
            return super().predict(x, batch_size, **kwargs)
        return super().predict(self._feed(x, None, batch_size, kwargs=kwargs), **kwargs)

    def _feed(
        self,
        x: Any,
        y: Any,
        batch_size: int | None,
        *,
        kwargs: dict[str, Any],
        shuffle: bool = False,
    ) -> Any:
        """Return texts as a dataset of masked batches."""
        assert self.preprocessor is not None  # noqa: S101  # nosec B101  # the callers looked
        if y is not None or kwargs.pop("sample_weight", None) is not None:
            message = "Labels and weights are made from the texts; leave y and sample_weight out."
            raise ValueError(message)
        return as_dataset(
            x, self.preprocessor, batch_size=batch_size or _BATCH_SIZE, shuffle=shuffle
        )

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs; the preprocessor is no part of it."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "head_hidden_act": self.masked_lm_head.hidden_act,
            "head_layer_norm_epsilon": self.masked_lm_head.layer_norm_epsilon,
            "tie_word_embeddings": self.masked_lm_head.token_embedding is not None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "BertMaskedLM":
        """Make the same model, with random weights and no preprocessor."""
        backbone = keras.saving.deserialize_keras_object(config["backbone"], custom_objects)
        return cls(**config | {"backbone": backbone})
