"""RoBERTa (Liu et al., 2019): BERT without segments, with a vocabulary of bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import keras

from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued
from model_store.masked_lm.tokenizer import Tokenizer


class Roberta(Catalogued):
    """What is the same for all classes of RoBERTa's shape."""

    family = "roberta"
    has_segments = False
    separators = 2


@keras.saving.register_keras_serializable(package="fillmask")
class RobertaBackbone(Roberta, Backbone):
    """RoBERTa's encoder."""

    differences = MappingProxyType(
        {"family": "roberta", "num_segments": 0, "layer_norm_epsilon": 1e-5}
    )


@keras.saving.register_keras_serializable(package="fillmask")
class RobertaTokenizer(Roberta, Tokenizer):
    """RoBERTa's byte-level BPE."""

    transformers_class = "RobertaTokenizer"

    def __init__(
        self,
        vocabulary: Mapping[str, int] | str | Path | None = None,
        merges: Sequence[str] | str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        """Build from a vocabulary.

        Args:
            vocabulary: the id of each entry, or the path of a `vocab.json`.
            merges: what is merged, `Ġ t` for one, or the path of a `merges.txt`.
            **kwargs: of a `Tokenizer`.

        Raises:
            ValueError: one is given without the other, or they cannot be used.
        """
        if (vocabulary is None) != (merges is None):
            message = "A vocabulary needs its merges, and they it; give both or neither."
            raise ValueError(message)
        if vocabulary is not None:
            kwargs["files"] = {"vocab.json": vocabulary, "merges.txt": merges}
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="fillmask")
class RobertaMaskedLMPreprocessor(Roberta, MaskedLMPreprocessor):
    """Makes masked rows of texts for RoBERTa."""

    tokenizer_cls: ClassVar = RobertaTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class RobertaMaskedLM(Roberta, MaskedLM):
    """RoBERTa for masked-language modelling."""

    backbone_cls: ClassVar = RobertaBackbone
    preprocessor_cls: ClassVar = RobertaMaskedLMPreprocessor
