"""ALBERT (Lan et al., 2020): few layers run many times, and embeddings are narrower than they."""

from types import MappingProxyType
from typing import Any, ClassVar

import keras

from model_store.encoder.config import EncoderConfig
from model_store.encoder.layer_groups import find_groups, order_layers
from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.families.sentence_piece import SentencePieceTokenizer
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued


class _Albert(Catalogued):
    family = "albert"


@keras.saving.register_keras_serializable(package="fillmask")
class AlbertBackbone(_Albert, Backbone):
    """ALBERT's encoder."""

    differences = MappingProxyType({"family": "albert", "hidden_act": "gelu_new"})
    has_pooler = True

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        embedding_dim: int,
        hidden_dim: int,
        intermediate_dim: int,
        num_groups: int = 1,
        num_inner_repetitions: int = 1,
        dropout: float = 0.0,
        max_sequence_length: int = 512,
        num_segments: int = 2,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Build the encoder with random weights; other arguments are as of `BertBackbone`.

        Args:
            vocabulary_size: how many token ids there are.
            num_layers: how often a group of layers is run.
            num_heads: how many heads of attention a layer has.
            embedding_dim: the width of the embeddings.
            hidden_dim: the width that they are projected to.
            intermediate_dim: the width inside of the feed-forward.
            num_groups: how many groups share the steps among them.
            num_inner_repetitions: how many layers a group has.
            dropout: the share of numbers that training drops, 0 to 1.
            max_sequence_length: the most tokens a row.
            num_segments: how many segment ids there are.
            dtype: of the layers.
            **kwargs: of a `Backbone`.
        """
        super().__init__(
            vocabulary_size=vocabulary_size,
            num_layers=num_groups * num_inner_repetitions,
            layer_order=order_layers(num_layers, num_groups, num_inner_repetitions),
            num_heads=num_heads,
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
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
        steps, groups, inner = find_groups(config.steps, config.num_layers)
        named = {**super().name_arguments(config), "embedding_dim": config.embedding_dim}
        named.pop("layer_order", None)
        return {**named, "num_layers": steps, "num_groups": groups, "num_inner_repetitions": inner}


@keras.saving.register_keras_serializable(package="fillmask")
class AlbertTokenizer(_Albert, SentencePieceTokenizer):
    """ALBERT's Unigram."""

    transformers_class = "AlbertTokenizer"
    proto_file = "spiece.model"


@keras.saving.register_keras_serializable(package="fillmask")
class AlbertMaskedLMPreprocessor(_Albert, MaskedLMPreprocessor):
    """Makes masked rows of texts for ALBERT."""

    tokenizer_cls: ClassVar = AlbertTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class AlbertMaskedLM(_Albert, MaskedLM):
    """ALBERT for masked-language modelling."""

    backbone_cls: ClassVar = AlbertBackbone
    preprocessor_cls: ClassVar = AlbertMaskedLMPreprocessor
    usual_head = MappingProxyType({"hidden_act": "gelu_new"})
