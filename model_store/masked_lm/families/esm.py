"""ESM-2 (Lin et al., 2023): of proteins, and normalised first."""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import keras

from model_store.encoder.config import EncoderConfig
from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.preset import Catalogued
from model_store.masked_lm.tokenizer import Tokenizer

_RENAMED = (
    "attention_bias",
    "feedforward_bias",
    "hidden_act",
    "layer_norm_epsilon",
    "rotary_base",
    "learned_positions",
    "embeddings_norm",
)
"""What KerasHub's arguments say in other words."""


class _ESM(Catalogued):
    family = "esm"
    has_segments = False


@keras.saving.register_keras_serializable(package="fillmask")
class ESMBackbone(_ESM, Backbone):
    """ESM's encoder."""

    differences = MappingProxyType(
        {"family": "esm", "num_segments": 0, "norm_first": True, "final_norm": True}
    )

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        use_bias: bool = True,  # noqa: FBT001, FBT002  # as above
        activation: Any = "gelu",
        dropout: float = 0.1,
        dtype: Any = None,
        max_sequence_length: int = 1024,
        max_wavelength: float = 10000,
        layer_norm_eps: float = 1e-12,
        use_pre_layer_norm: bool = False,  # noqa: FBT001, FBT002  # as above
        position_embedding_type: str = "rotary",
        pad_token_id: int = 0,
        **kwargs: Any,
    ) -> None:
        """Build the encoder with random weights; other arguments are as of `BertBackbone`.

        Args:
            vocabulary_size: how many token ids there are.
            num_layers: how many Transformer layers.
            num_heads: how many heads of attention a layer has.
            hidden_dim: the width of the vectors.
            intermediate_dim: the width inside of the feed-forward.
            use_bias: whether the projections have biases.
            activation: of the feed-forward.
            dropout: the share of numbers that training drops, 0 to 1.
            dtype: of the layers.
            max_sequence_length: the most tokens a row.
            max_wavelength: the base of the rotation.
            layer_norm_eps: what keeps layer normalisations from a division by zero.
            use_pre_layer_norm: whether the embeddings are normalised.
            position_embedding_type: `rotary` or `absolute`.
            pad_token_id: KerasHub's argument; here the `padding_mask` says what is padding.
            **kwargs: of a `Backbone`; `dropped_token`, the id of the mask, as ESM-2 was trained.

        Raises:
            ValueError: there are no such positions, or a number is out of its range.
        """
        if position_embedding_type not in {"rotary", "absolute"}:
            message = (
                f"position_embedding_type is {position_embedding_type!r}; give rotary or absolute."
            )
            raise ValueError(message)
        is_rotary = position_embedding_type == "rotary"
        super().__init__(
            vocabulary_size=vocabulary_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=intermediate_dim,
            attention_bias=use_bias,
            feedforward_bias=use_bias,
            hidden_act=activation,
            dropout=dropout,
            dtype=dtype,
            max_sequence_length=max_sequence_length,
            rotary_base=float(max_wavelength) if is_rotary else None,
            learned_positions=not is_rotary,
            layer_norm_epsilon=layer_norm_eps,
            embeddings_norm=use_pre_layer_norm,
            **kwargs,
        )
        self.pad_token_id = pad_token_id

    @classmethod
    def name_arguments(cls, config: EncoderConfig) -> dict[str, Any]:
        """Return what the constructor takes to make an encoder of this shape."""
        named = super().name_arguments(config)
        for name in _RENAMED:
            named.pop(name, None)
        return {
            **named,
            "use_bias": config.attention_bias,
            "activation": config.hidden_act,
            "layer_norm_eps": config.layer_norm_epsilon,
            "max_wavelength": config.rotary_base or 10000,
            "use_pre_layer_norm": config.embeddings_norm,
            "position_embedding_type": "absolute" if config.learned_positions else "rotary",
        }


@keras.saving.register_keras_serializable(package="fillmask")
class ESMTokenizer(_ESM, Tokenizer):
    """ESM's vocabulary of letters."""

    transformers_class = "EsmTokenizer"

    def __init__(  # nosec B107  # no password
        self,
        vocabulary: Sequence[str] | str | Path | None = None,
        lowercase: bool = False,  # noqa: FBT001, FBT002  # KerasHub's signature
        oov_token: str = "<unk>",  # noqa: S107  # no password
        **kwargs: Any,
    ) -> None:
        """Build from a vocabulary.

        Args:
            vocabulary: the entries, or the name of a file with one a line.
            lowercase: KerasHub's argument; the letters of proteins are capitals.
            oov_token: ESM's is `<unk>`.
            **kwargs: of a `Tokenizer`.

        Raises:
            ValueError: a special token is missing, or an argument asks for what no ESM does.
        """
        if lowercase or oov_token != "<unk>":  # noqa: S105  # no password
            message = "ESM keeps letters as they are, and has <unk>; leave lowercase and oov_token."
            raise ValueError(message)
        if vocabulary is not None:
            kwargs["files"] = {"vocab.txt": vocabulary}
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="fillmask")
class ESMMaskedPLMPreprocessor(_ESM, MaskedLMPreprocessor):
    """Makes masked rows of texts for ESM."""

    tokenizer_cls: ClassVar = ESMTokenizer


@keras.saving.register_keras_serializable(package="fillmask")
class ESMMaskedPLM(_ESM, MaskedLM):
    """ESM for masked-language modelling."""

    backbone_cls: ClassVar = ESMBackbone
    preprocessor_cls: ClassVar = ESMMaskedPLMPreprocessor
