"""What every checkpoint format yields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Variables: TypeAlias = Mapping[str, Array]
"""Arrays by the path of the Keras variable that they fill."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A masked LM as read from files: its shape, its tokenizer and its weights."""

    config: EncoderConfig
    tokenizer: SubwordTokenizer
    variables: Variables
