"""ModernBERT (Warner et al., 2024): normalised first, rotary, gated, local attention mostly.

KerasHub 0.32 has it not; the names are as it forms them.
"""

from types import MappingProxyType
from typing import Any, ClassVar

import keras

from model_store.encoder.config import EncoderConfig
from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued
from model_store.masked_lm.tokenizer import Tokenizer

_EVERY = 3
"""The layers that attend to everything: one in so many."""


class _ModernBert(Catalogued):
    family = "modernbert"
    has_segments = False


@keras.saving.register_keras_serializable(package="fillmask")
class ModernBertBackbone(_ModernBert, Backbone):
    """ModernBERT's encoder."""

    differences = MappingProxyType(
        {
            "family": "modernbert",
            "num_segments": 0,
            "learned_positions": False,
            "layer_norm_epsilon": 1e-5,
            "norm_first": True,
            "first_attention_norm": False,
            "final_norm": True,
            "attention_bias": False,
            "feedforward_bias": False,
            "norm_bias": False,
            "is_gated": True,
            "rotary_base": 160_000.0,
            "local_rotary_base": 10_000.0,
        }
    )

    def __init__(  # noqa: PLR0917  # as KerasHub's are
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.0,
        max_sequence_length: int = 8192,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Build the encoder with random weights; the arguments are as of `BertBackbone`.

        `local_layers` are all but each third where they are not given.
        """
        local = tuple(layer for layer in range(num_layers) if layer % _EVERY)
        super().__init__(
            vocabulary_size=vocabulary_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=intermediate_dim,
            dropout=dropout,
            max_sequence_length=max_sequence_length,
            dtype=dtype,
            **{"local_layers": local, **kwargs},
        )

    @classmethod
    def name_arguments(cls, config: EncoderConfig) -> dict[str, Any]:
        """Return what the constructor takes to make an encoder of this shape."""
        return {**super().name_arguments(config), "local_layers": config.local_layers}


@keras.saving.register_keras_serializable(package="fillmask")
class ModernBertTokenizer(_ModernBert, Tokenizer):
    """ModernBERT's tokenizer, whose `tokenizer.json` is all of it; `from_preset` reads one."""


@keras.saving.register_keras_serializable(package="fillmask")
class ModernBertMaskedLMPreprocessor(_ModernBert, MaskedLMPreprocessor):
    """Makes masked rows of texts for ModernBERT."""

    tokenizer_cls: ClassVar = ModernBertTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class ModernBertMaskedLM(_ModernBert, MaskedLM):
    """ModernBERT for masked-language modelling."""

    backbone_cls: ClassVar = ModernBertBackbone
    preprocessor_cls: ClassVar = ModernBertMaskedLMPreprocessor
    usual_head = MappingProxyType({"transform_bias": False})
