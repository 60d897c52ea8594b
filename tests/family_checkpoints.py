"""The small checkpoints of every family, read, and what Transformers answers them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from family_cases import GOLDEN, MASK, list_texts, make_tensors, write_family_dir
from model_store.checkpoints import Checkpoint
from model_store.checkpoints.transformers.directory import read_transformers_model
from model_store.checkpoints.transformers.families import FAMILIES
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.text.encoding import Encoding
from model_store.text.questions import Sparse
from tiny_checkpoints import SPECIAL_TOKENS


@cache
def read_golden() -> dict[str, Any]:
    """Return each case's `config`, as Transformers wrote it, `tensors` and `logits`."""
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def list_readable() -> list[str]:
    """Return the cases of the families in the table."""
    types = {kind for family in FAMILIES for kind in family.model_types}
    return [name for name in read_golden() if name.partition(",")[0] in types]


def write_case(name: str, directory: Path, **fields: Any) -> Path:
    """Write a case without its tokenizer, with some fields of its config changed."""
    golden = read_golden()[name]
    return write_family_dir(directory, golden["config"] | fields, make_tensors(golden["tensors"]))


def read_case(name: str, directory: Path) -> Checkpoint:
    """Write a case and read it back; its tokenizer is any."""
    config, variables = read_transformers_model(write_case(name, directory))
    return Checkpoint(config, build_word_piece(list(SPECIAL_TOKENS)), variables)


def list_expected(name: str) -> Any:
    """Return Transformers' logits of all masks, one row a mask."""
    return np.array([mask for text in read_golden()[name]["logits"] for mask in text])


def encode_texts() -> list[Encoding]:
    """Return the texts, asking for the whole logits of their masks."""
    return [_encode(ids) for ids in list_texts()]


def _encode(ids: list[int]) -> Encoding:
    masks = np.array([place for place, token in enumerate(ids) if token == MASK])
    return Encoding("", np.array(ids, np.int32), masks, (), None, 1, question=Sparse(None))
