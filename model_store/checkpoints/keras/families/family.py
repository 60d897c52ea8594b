"""What a family is: how its KerasHub classes and their files map onto the encoder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from model_store.checkpoints.keras.names import Names
from model_store.checkpoints.keras.tokenizer_kinds import TokenizerKind
from model_store.encoder.config import EncoderConfig

Raw: TypeAlias = dict[str, Any]

BEYOND = (
    "hidden_act",
    "layer_norm_epsilon",
    "head_hidden_act",
    "head_layer_norm_epsilon",
    "tie_word_embeddings",
    "dropped_token",
)
"""What a preset that we wrote says beside KerasHub's own fields, where its classes fix another."""


def write_shape(config: EncoderConfig) -> Raw:
    """Return what all backbones say of a config; the inverse of `read_shape`."""
    return {
        "vocabulary_size": config.vocabulary_size,
        "num_layers": config.num_layers,
        "num_heads": config.num_heads,
        "hidden_dim": config.hidden_dim,
        "intermediate_dim": config.intermediate_dim,
        "dropout": config.dropout,
        "max_sequence_length": config.max_sequence_length,
    }


@dataclass(frozen=True, slots=True)
class KerasFamily:
    """One family of masked LMs as KerasHub stores them.

    Attributes:
        name: the `family` of its configs; KerasHub may have several classes for one.
        backbone: the class of the encoder.
        task: the class of the encoder with a masked-LM head.
        read_config: of the fields of a backbone.
        list_backbone: the datasets of `model.weights.h5`; those that are not there are left out.
        tokenizer: the kind of its vocabulary, and how that is read and written.
        list_head: the datasets of `task.weights.h5`.
        write_config: the fields of a backbone; the inverse of `read_config`.
        splits_heads: whether projections of attention have an axis for the heads.
    """

    name: str
    backbone: str
    task: str
    read_config: Callable[[Raw], EncoderConfig]
    list_backbone: Callable[[EncoderConfig], Names]
    tokenizer: TokenizerKind
    list_head: Callable[[], Names]
    write_config: Callable[[EncoderConfig], Raw] = write_shape
    splits_heads: bool = True

    @property
    def tokenizer_class(self) -> str:
        """The class that cuts texts."""
        return f"{self.backbone.removesuffix('Backbone')}Tokenizer"

    @property
    def preprocessor(self) -> str:
        """The class that makes masked rows of texts."""
        return f"{self.task}Preprocessor"


def read_shape(fields: Raw) -> Raw:
    """Return what all backbones say, under the names of a config.

    Raises:
        KeyError: a field is missing.
    """
    return {
        "vocabulary_size": fields["vocabulary_size"],
        "num_layers": fields["num_layers"],
        "num_heads": fields["num_heads"],
        "hidden_dim": fields["hidden_dim"],
        "intermediate_dim": fields["intermediate_dim"],
        "max_sequence_length": fields.get("max_sequence_length", 512),
        "dropout": fields.get("dropout", 0.1),
    }
