"""XLM-RoBERTa (Conneau et al., 2020) and CamemBERT: RoBERTa with SentencePiece's Unigram."""

from pathlib import Path
from typing import Any, ClassVar

import keras

from model_store.encoder.tokenizers.spelling import MetaspaceSpelling
from model_store.masked_lm.families.roberta import Roberta, RobertaBackbone, RobertaMaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.tokenizer import Tokenizer


class _XLMRoberta(Roberta):
    spelling = MetaspaceSpelling


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaBackbone(_XLMRoberta, RobertaBackbone):
    """XLM-RoBERTa's encoder, which is RoBERTa's."""


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaTokenizer(_XLMRoberta, Tokenizer):
    """XLM-RoBERTa's Unigram."""

    transformers_class = "XLMRobertaTokenizer"

    def __init__(self, proto: str | Path | bytes | None = None, **kwargs: Any) -> None:
        """Build from a vocabulary.

        Args:
            proto: SentencePiece's model, or the path of such a file.
            **kwargs: of a `Tokenizer`.

        Raises:
            ValueError: it is no model of SentencePiece's that can be used.
        """
        if proto is not None:
            kwargs["files"] = {"sentencepiece.bpe.model": proto}
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaMaskedLMPreprocessor(_XLMRoberta, MaskedLMPreprocessor):
    """Makes masked rows of texts for XLM-RoBERTa."""

    tokenizer_cls: ClassVar = XLMRobertaTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class XLMRobertaMaskedLM(_XLMRoberta, RobertaMaskedLM):
    """XLM-RoBERTa for masked-language modelling."""

    backbone_cls: ClassVar = XLMRobertaBackbone
    preprocessor_cls: ClassVar = XLMRobertaMaskedLMPreprocessor
