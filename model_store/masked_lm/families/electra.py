"""ELECTRA's generators (Clark et al., 2020): BERT with narrower embeddings.

KerasHub has the encoder and the tokenizer alone; the names of the others are as it forms them.
"""

from types import MappingProxyType
from typing import Any, ClassVar

import keras

from model_store.encoder.config import EncoderConfig
from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.families.word_piece import WordPieceTokenizer
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued


class _Electra(Catalogued):
    family = "electra"


@keras.saving.register_keras_serializable(package="fillmask")
class ElectraBackbone(_Electra, Backbone):
    """ELECTRA's encoder."""

    differences = MappingProxyType({"family": "electra"})
    has_pooler = True

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        vocab_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        embedding_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        max_sequence_length: int = 512,
        num_segments: int = 2,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Build the encoder with random weights; other arguments are as of `BertBackbone`.

        Args:
            vocab_size: how many token ids there are.
            num_layers: how many Transformer layers.
            num_heads: how many heads of attention a layer has.
            hidden_dim: the width of the vectors.
            embedding_dim: the width of the embeddings, which are projected where it is another.
            intermediate_dim: the width inside of the feed-forward.
            dropout: the share of numbers that training drops, 0 to 1.
            max_sequence_length: the most tokens a row.
            num_segments: how many segment ids there are.
            dtype: of the layers.
            **kwargs: of a `Backbone`.
        """
        super().__init__(
            vocabulary_size=vocab_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            embedding_dim=None if embedding_dim == hidden_dim else embedding_dim,
            intermediate_dim=intermediate_dim,
            dropout=dropout,
            max_sequence_length=max_sequence_length,
            num_segments=num_segments,
            dtype=dtype,
            **kwargs,
        )

    @classmethod
    def name_arguments(cls, config: EncoderConfig) -> dict[str, Any]:
        """Return what the constructor takes to make an encoder of this shape."""
        named = {**super().name_arguments(config), "embedding_dim": config.embeddings_width}
        named["vocab_size"] = named.pop("vocabulary_size")
        return named


@keras.saving.register_keras_serializable(package="fillmask")
class ElectraTokenizer(_Electra, WordPieceTokenizer):
    """ELECTRA's WordPiece, which is BERT's."""


@keras.saving.register_keras_serializable(package="fillmask")
class ElectraMaskedLMPreprocessor(_Electra, MaskedLMPreprocessor):
    """Makes masked rows of texts for ELECTRA's generator."""

    tokenizer_cls: ClassVar = ElectraTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class ElectraMaskedLM(_Electra, MaskedLM):
    """ELECTRA's generator for masked-language modelling."""

    backbone_cls: ClassVar = ElectraBackbone
    preprocessor_cls: ClassVar = ElectraMaskedLMPreprocessor
