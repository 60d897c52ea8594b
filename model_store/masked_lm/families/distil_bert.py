"""DistilBERT (Sanh et al., 2019): half of BERT's layers, and no segments."""

from types import MappingProxyType
from typing import ClassVar

import keras

from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.families.word_piece import WordPieceTokenizer
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued


class _DistilBert(Catalogued):
    family = "distilbert"
    has_segments = False


@keras.saving.register_keras_serializable(package="fillmask")
class DistilBertBackbone(_DistilBert, Backbone):
    """DistilBERT's encoder."""

    differences = MappingProxyType({"family": "distilbert", "num_segments": 0})


@keras.saving.register_keras_serializable(package="fillmask")
class DistilBertTokenizer(_DistilBert, WordPieceTokenizer):
    """DistilBERT's WordPiece, which is BERT's."""


@keras.saving.register_keras_serializable(package="fillmask")
class DistilBertMaskedLMPreprocessor(_DistilBert, MaskedLMPreprocessor):
    """Makes masked rows of texts for DistilBERT."""

    tokenizer_cls: ClassVar = DistilBertTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class DistilBertMaskedLM(_DistilBert, MaskedLM):
    """DistilBERT for masked-language modelling."""

    backbone_cls: ClassVar = DistilBertBackbone
    preprocessor_cls: ClassVar = DistilBertMaskedLMPreprocessor
