"""The blocks of code in Keras' documentation of BERT's masked LM: the docstrings of keras-hub."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import keras_hub

PRESETS = ("bert_base_en_uncased", "bert_base_en")
"""The names that the blocks load; a small preset stands under each when they are run."""

PRELUDE = """
import keras
import numpy as np
import tensorflow as tf
train_ds = tf.data.Dataset.from_tensor_slices(["The quick brown fox jumped."] * 2).batch(2)
"""
"""What the documentation takes for granted."""

DOCUMENTED = {
    "BertMaskedLM": "BertMaskedLM",
    "BertMaskedLMPreprocessor": "BertMaskedLMPreprocessor",
    "BertTokenizer": "BertTokenizer",
    "BertBackbone": "BertBackbone",
    "MaskedLM": "BertMaskedLM",
    "MaskedLMPreprocessor": "BertMaskedLMPreprocessor",
}
"""Classes of keras-hub, and ours that are these: the last two are what the first are made from."""


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        of: the class of keras-hub that it documents.
        title: the line before it.
        code: as it stands there, but for the import.
    """

    of: str
    title: str
    code: str


def list_blocks() -> Iterator[Block]:
    """Yield every block of the documented classes, in order."""
    for theirs, ours in DOCUMENTED.items():
        text = getattr(keras_hub.models, theirs).__doc__
        for before, code in re.findall(r"([^\n]*)\n\s*```python\n(.*?)```", text, re.DOTALL):
            adapted = code.replace(f"keras_hub.models.{theirs}", f"fillmask.{ours}")
            adapted = adapted.replace("keras_hub.models.", "fillmask.")
            lines = [line[4:] for line in adapted.splitlines()]
            yield Block(theirs, before.strip().rstrip(".:"), "\n".join(lines))


def render_table() -> str:
    """Return the table that docs/training.md has of the blocks."""
    rows = "".join(f"| `{block.of}` | {block.title} | runs |\n" for block in list_blocks())
    return f"| documentation of | block | here |\n|---|---|---|\n{rows}"
