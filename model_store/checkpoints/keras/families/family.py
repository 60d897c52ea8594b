"""What a family is: how its KerasHub classes and their files map onto the encoder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from model_store.checkpoints.keras.names import Names
from model_store.checkpoints.keras.tokenizers import StoredTokenizer
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

Raw: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KerasFamily:
    """One family of masked LMs as KerasHub stores them.

    Attributes:
        name: the `family` of its configs; KerasHub may have several classes for one.
        backbone: the class of the encoder.
        task: the class of the encoder with a masked-LM head.
        read_config: of the fields of a backbone.
        list_backbone: the datasets of `model.weights.h5`; those that are not there are left out.
        read_tokenizer: of a preset's assets.
        list_head: the datasets of `task.weights.h5`.
    """

    name: str
    backbone: str
    task: str
    read_config: Callable[[Raw], EncoderConfig]
    list_backbone: Callable[[EncoderConfig], Names]
    read_tokenizer: Callable[[StoredTokenizer], SubwordTokenizer]
    list_head: Callable[[], Names]

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
