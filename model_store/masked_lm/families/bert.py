"""BERT (Devlin et al., 2019)."""

from typing import Any, ClassVar

import keras

from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.families.word_piece import WordPieceTokenizer
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued


class _Bert(Catalogued):
    family = "bert"


@keras.saving.register_keras_serializable(package="fillmask")
class BertBackbone(_Bert, Backbone):
    """BERT's encoder."""

    has_pooler = True

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
        dtype: Any = None,
        **kwargs: Any,
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
            num_segments: how many segment ids there are.
            dtype: Keras' name of a type or a policy, a policy, or a map of policies.
            **kwargs: of a `Backbone`: `hidden_act`, which is `gelu`, as BERT's authors have it,
                or `gelu_new`, as KerasHub does; `layer_norm_epsilon`, `pooler`, `name`, ...

        Raises:
            TypeError: there is no such argument.
            ValueError: a number is out of its range, or the heads do not divide the width.
        """
        super().__init__(
            vocabulary_size=vocabulary_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=intermediate_dim,
            dropout=dropout,
            max_sequence_length=max_sequence_length,
            num_segments=num_segments,
            dtype=dtype,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="fillmask")
class BertTokenizer(_Bert, WordPieceTokenizer):
    """BERT's WordPiece."""


@keras.saving.register_keras_serializable(package="fillmask")
class BertMaskedLMPreprocessor(_Bert, MaskedLMPreprocessor):
    """Makes masked rows of texts for BERT."""

    tokenizer_cls: ClassVar = BertTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class BertMaskedLM(_Bert, MaskedLM):
    """BERT for masked-language modelling."""

    backbone_cls: ClassVar = BertBackbone
    preprocessor_cls: ClassVar = BertMaskedLMPreprocessor
