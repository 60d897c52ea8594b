"""The shape of a masked LM, whatever file format it came from, and what tells it from BERT."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import dropwhile
from types import MappingProxyType
from typing import Any, Literal, get_args

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
    """Hyperparameters of a masked LM; those that have a default are BERT's unless they are given.

    The head has an activation and an epsilon of its own: KerasHub's differ from its encoder's.

    Attributes:
        num_layers: how many layers have weights; `layer_order` may run some of them again.
        num_segments: how many segments are told apart; 0 adds no embedding of segments.
        family: whose configuration and whose names of tensors it came from. No layer reads it.
        embedding_dim: the width of the embeddings, which a layer then projects to `hidden_dim`;
            None means they have that width, and there is no such layer.
        learned_positions: whether a learnt vector for its position is added to every token.
        skipped_token: an id that takes no position, as RoBERTa's padding does: those behind it
            are counted as if it were not there, and its own is the last row of the table.
        embeddings_norm: whether the sum of the embeddings is normalised.
        dropped_token: an id whose embedding is left out, and the others of its text are scaled
            for it, as ESM was trained (Lin et al., 2023).
        norm_first: whether a layer normalises what goes into attention and feed-forward, and
            not what comes out (Xiong et al., 2020).
        first_attention_norm: whether the first layer normalises what goes into its attention;
            of interest with `norm_first` alone.
        final_norm: whether what the last layer returns is normalised.
        attention_bias: whether the projections of attention have biases; so have
            `feedforward_bias`, `norm_bias`, `transform_bias` and `decoder_bias` their parts.
        is_gated: whether the feed-forward is activated on one half of its width, and multiplied
            with the other (GEGLU: Shazeer, 2020).
        layer_order: which layer runs at each step; None means each once, in order.
        rotary_base: of the rotation of queries and keys by their positions (Su et al., 2021);
            None rotates nothing.
        local_layers: those that attend to tokens nearby alone.
        local_reach: how many positions these see to each side.
        local_rotary_base: of the rotation in these.

    Raises:
        ValueError: a size is no positive integer of 32 bits, an activation is unknown, or the
            parts do not fit together.
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
    family: str = "bert"
    embedding_dim: int | None = None
    learned_positions: bool = True
    skipped_token: int | None = None
    embeddings_norm: bool = True
    dropped_token: int | None = None
    norm_first: bool = False
    first_attention_norm: bool = True
    final_norm: bool = False
    attention_bias: bool = True
    feedforward_bias: bool = True
    norm_bias: bool = True
    transform_bias: bool = True
    decoder_bias: bool = True
    is_gated: bool = False
    layer_order: tuple[int, ...] | None = None
    rotary_base: float | None = None
    local_layers: tuple[int, ...] = ()
    local_reach: int = 64
    local_rotary_base: float | None = None

    def __post_init__(self) -> None:
        """Check that the numbers make sense: they come from files."""
        for field in fields(self):
            complaint = _complain(field.name, field.type, getattr(self, field.name))
            if complaint:
                raise ValueError(complaint)
        most = max(self.num_layers, len(self.layer_order or ()))
        if most > _MOST_LAYERS:
            message = f"num_layers is {most} and the most is {_MOST_LAYERS}"
            raise ValueError(message)
        if not all(0 <= layer < self.num_layers for layer in (*self.steps, *self.local_layers)):
            message = f"a layer is named that is none of {self.num_layers}"
            raise ValueError(message)
        if self.hidden_dim % self.num_heads:
            message = f"hidden_dim {self.hidden_dim} does not divide by {self.num_heads} heads"
            raise ValueError(message)
        is_rotary = self.rotary_base is not None or self.local_rotary_base is not None
        if is_rotary and self.hidden_dim // self.num_heads % 2:
            message = f"heads are {self.hidden_dim // self.num_heads} wide, and rotate in pairs"
            raise ValueError(message)

    @property
    def embeddings_width(self) -> int:
        """How wide the embeddings are."""
        return self.embedding_dim or self.hidden_dim

    @property
    def position_rows(self) -> int:
        """How many learnt positions there are."""
        skipped = self.skipped_token is not None
        return self.max_sequence_length + skipped if self.learned_positions else 0

    @property
    def steps(self) -> tuple[int, ...]:
        """Which layer runs at each step."""
        return tuple(range(self.num_layers)) if self.layer_order is None else self.layer_order

    def list_differences(self, usual: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """Return what is not as in BERT; no part of KerasHub's signatures, or of the head.

        Args:
            usual: what is otherwise in another family, whose difference it is then.
        """
        expected = {name: usual.get(name, bert) for name, bert in _BERT.items()}
        return {
            name: getattr(self, name)
            for name, value in expected.items()
            if getattr(self, name) != value
        }


def _complain(name: str, kind: Any, value: Any) -> str:
    """Return what is wrong with a field, empty if nothing is."""
    shown = reprlib.repr(value)
    least = 0 if name in _MAY_BE_0 else 1
    wants_int = kind is int or (kind == int | None and value is not None)
    if wants_int and not (type(value) is int and least <= value <= _LARGEST):
        return f"{name} is {shown}, which is no integer from {least} to {_LARGEST}"
    if kind is float and not (type(value) in {int, float} and 0 <= value < 1):
        return f"{name} is {shown}, which is no number from 0 to 1"
    is_base = kind == float | None and value is not None
    if is_base and not (type(value) in {int, float} and 1 <= value <= _LARGEST):
        return f"{name} is {shown}, which is no number from 1 to {_LARGEST}"
    if kind is bool and type(value) is not bool:
        return f"{name} is {shown}, which is neither true nor false"
    if kind == HiddenAct and value not in get_args(HiddenAct):
        return f"{name} is {shown} and must be one of {get_args(HiddenAct)}"
    return ""


_MAY_BE_0 = {"num_segments", "local_reach", "dropped_token", "skipped_token"}
_OF_THE_HEAD = {"transform_bias", "decoder_bias"}
_BERT = {
    field.name: field.default
    for field in dropwhile(lambda field: field.name != "family", fields(EncoderConfig))
    if field.name not in _OF_THE_HEAD
}
"""The fields of the encoder alone that no other signature has, as they are in BERT."""
