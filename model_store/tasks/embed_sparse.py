"""The sparse vector of a text, which the masked-LM head of a SPLADE model gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from model_store.tasks.inputs import read_each
from model_store.tasks.limits import TaskLimits, require
from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.filled_text import SparseVector
from model_store.text.questions import Sparse
from model_store.text.text_codec import TextCodec

_MOST_VALUES_A_ROUND = 2**22
"""What one round may bring back at the worst: 32 MiB, which fit into a frame between processes."""


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """The vector of a text, and how the vocabulary spells its entries."""

    vector: SparseVector
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbedSparseRequest:
    """Texts whose sparse vectors are wanted.

    Attributes:
        inputs: the texts.
        truncate: whether to cut off the end of a text that is longer than the model takes.
        top_k: how many of a vector's largest values to return; None for all that are above zero.
        with_entries: whether to name the entries.
    """

    inputs: Sequence[str]
    truncate: bool = False
    top_k: int | None = None
    with_entries: bool = False

    name = "embed_sparse"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.inputs))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs, or values.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        require("rows", len(self.inputs), limits.max_rows)
        require("values", (self.top_k or 0) * len(self.inputs), limits.max_sparse_values)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[EmbeddedText]]:
        """Return the task: one row an input, in as many rounds as what comes back may take.

        How many values are above zero shows only then; there is no further round after too many.

        Raises:
            InputError: a text cannot be used, or there are too many values.
        """
        # One more than there may be shows that there are too many.
        most = self.top_k or limits.max_sparse_values + 1
        encodings = self._encode(codec, limits, Sparse(most))
        at_a_time = max(1, _MOST_VALUES_A_ROUND // most)
        vectors: list[SparseVector] = []
        for first in range(0, len(encodings), at_a_time):
            results = yield encodings[first : first + at_a_time]
            vectors += [mask.vector for [mask] in results if mask.vector is not None]
            values = sum(len(vector.values) for vector in vectors)
            require("values", values, limits.max_sparse_values)
        return [EmbeddedText(vector, self._name(codec, vector)) for vector in vectors]

    def _encode(self, codec: TextCodec, limits: TaskLimits, question: Sparse) -> list[Encoding]:
        return read_each(
            self.inputs,
            lambda text: codec.encode_tokens(text, question, limits.text, truncate=self.truncate),
        )

    def _name(self, codec: TextCodec, vector: SparseVector) -> tuple[str, ...]:
        return tuple(map(codec.token_str, vector.token_ids.tolist())) if self.with_entries else ()
