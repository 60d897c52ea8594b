"""The shape of a BERT masked LM, whatever file format it came from."""

from dataclasses import dataclass
from typing import Literal

HiddenAct = Literal["gelu", "gelu_new", "relu"]
"""`gelu` is the erf form, `gelu_new` the tanh approximation, as Transformers names them."""


@dataclass(frozen=True, slots=True)
class BertConfig:
    """Hyperparameters of a BERT masked LM.

    The head has an activation and an epsilon of its own: KerasHub's differ from its encoder's.
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
