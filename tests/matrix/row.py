"""One row of the matrix: what a checkpoint has that the usual one has not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Tensors = dict[str, Any]

GONE: Any = object()
"""Takes a field, or a whole file, away."""

SAFETENSORS = "safetensors"
SAFETENSORS_PARTS = "safetensors in parts"
BIN = "bin"
OLD_BIN = "bin before 1.6"
BIN_PARTS = "bin in parts"
VOCAB = "vocab.txt"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True)
class Row:
    """What differs.

    Attributes:
        what: in words, and the name of the row.
        files: fields of JSON files to set, by the file's name; or a function that changes the
            content of a file; or `GONE`.
        tensors: changes the weights.
        layouts: the files in which it is tried, where these are not those of its part.
        twin: the row with the same answers, where Transformers has none, or random ones.
    """

    what: str
    files: Mapping[str, Any] = field(default_factory=dict)
    tensors: Callable[[Tensors], Any] = lambda _tensors: None
    layouts: tuple[str, ...] = ()
    twin: str = ""


@dataclass(frozen=True)
class Case:
    """A row in one layout of files."""

    part: str
    row: Row
    layout: str

    @property
    def name(self) -> str:
        """Its name, unlike all others."""
        return f"{self.part}: {self.row.what} ({self.layout})"
