"""The shape of a BERT masked LM, whatever file format it came from."""

import reprlib
from dataclasses import dataclass, fields
from typing import Literal, get_args

HiddenAct = Literal[
    "gelu",
    "gelu_10",
    "gelu_new",
    "hardswish",
    "laplace",
    "leaky_relu",
    "linear",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "sqrtsoftplus",
    "tanh",
]
"""Transformers' names; `gelu` is the erf form, `gelu_new` the tanh approximation."""

_MOST_LAYERS = 1000
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Hyperparameters of a BERT masked LM.

    The head has an activation and an epsilon of its own: KerasHub's differ from its encoder's.

    Raises:
        ValueError: a size is no positive integer of 32 bits, an activation is unknown, or the
            width does not divide by the heads.
    """

    vocabulary_size: int
    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    max_sequence_length: int = 512
    num_segments: int = 2
    dropout: float = 0.1
    hidden_act: HiddenAct = "gelu"
    layer_norm_epsilon: float = 1e-12
    head_hidden_act: HiddenAct = "gelu"
    head_layer_norm_epsilon: float = 1e-12
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        """Check that the numbers make sense: they come from files."""
        for field in fields(self):
            value = getattr(self, field.name)
            shown = reprlib.repr(value)
            if field.type is int and not (type(value) is int and 1 <= value <= _LARGEST):
                message = f"{field.name} is {shown}, which is no integer from 1 to {_LARGEST}"
                raise ValueError(message)
            if field.type is float and not (type(value) in {int, float} and 0 <= value < 1):
                message = f"{field.name} is {shown}, which is no number from 0 to 1"
                raise ValueError(message)
            if field.type == HiddenAct and value not in get_args(HiddenAct):
                message = f"{field.name} is {shown} and must be one of {get_args(HiddenAct)}"
                raise ValueError(message)
        if self.num_layers > _MOST_LAYERS:
            message = f"num_layers is {self.num_layers} and the most is {_MOST_LAYERS}"
            raise ValueError(message)
        if self.hidden_dim % self.num_heads:
            message = f"hidden_dim {self.hidden_dim} does not divide by {self.num_heads} heads"
            raise ValueError(message)
