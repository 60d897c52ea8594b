"""XLM-RoBERTa (Conneau et al., 2020) and CamemBERT: RoBERTa with SentencePiece's Unigram."""

from typing import ClassVar

import keras

from model_store.encoder.tokenizers.spelling import MetaspaceSpelling
from model_store.masked_lm.families.roberta import Roberta, RobertaBackbone, RobertaMaskedLM
from model_store.masked_lm.families.sentence_piece import SentencePieceTokenizer
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor


class _XLMRoberta(Roberta):
    spelling = MetaspaceSpelling


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaBackbone(_XLMRoberta, RobertaBackbone):
    """XLM-RoBERTa's encoder, which is RoBERTa's."""


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaTokenizer(_XLMRoberta, SentencePieceTokenizer):
    """XLM-RoBERTa's Unigram."""

    transformers_class = "XLMRobertaTokenizer"
    proto_file = "sentencepiece.bpe.model"


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaMaskedLMPreprocessor(_XLMRoberta, MaskedLMPreprocessor):
    """Makes masked rows of texts for XLM-RoBERTa."""

    tokenizer_cls: ClassVar = XLMRobertaTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaMaskedLM(_XLMRoberta, RobertaMaskedLM):
    """XLM-RoBERTa for masked-language modelling."""

    backbone_cls: ClassVar = XLMRobertaBackbone
    preprocessor_cls: ClassVar = XLMRobertaMaskedLMPreprocessor
