"""Codecs of every kind of vocabulary, from the small stored tokenizers."""

import tempfile
from functools import cache
from pathlib import Path

from golden.tokenizer_cases import CASES
from model_store.checkpoints.transformers import read_tokenizer
from model_store.text.text_codec import TextCodec

KINDS = ("roberta", "modernbert", "xlm-roberta", "camembert", "albert", "mpnet", "electra", "esm")
WORDS = KINDS[:-1]
"""Those that know of words."""


@cache
def make_codec(kind: str) -> TextCodec:
    """Return the codec of a kind, read once."""
    case = next(case for case in CASES if case.name == kind)
    with tempfile.TemporaryDirectory() as directory:
        return TextCodec(read_tokenizer(case.write(Path(directory))), 256)


def find_id(codec: TextCodec, entry: str) -> int:
    """Return the id of an entry."""
    found = [index for index in range(1000) if codec.entry(index) == entry]
    assert found, entry
    return found[0]
