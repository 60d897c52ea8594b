"""Putting a tokenizer together from its parts, as Transformers does for every kind."""

import reprlib
from collections.abc import Callable, Container, Sequence
from typing import Any, TypeAlias

from tokenizers import AddedToken, Tokenizer

from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

Frame: TypeAlias = Callable[[SpecialTokens, Tokenizer], Any]
"""Makes what puts special tokens around a text, see `frames`."""


def assemble(
    tokenizer: Tokenizer,
    special_tokens: SpecialTokens,
    frame: Frame,
    *,
    added_tokens: Sequence[AddedToken] = (),
    clean_up_spaces: bool = False,
) -> SubwordTokenizer:
    """Give a tokenizer its special tokens, and what is put around every text.

    Args:
        tokenizer: has its other parts.
        special_tokens: the spellings of these.
        frame: makes what is put around a text.
        added_tokens: what is never cut beside the special tokens, or one of these with options
            of its own. What is no entry gets an id behind the vocabulary.
        clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.
    """
    added = {token.content for token in added_tokens}
    tokenizer.add_tokens(list(added_tokens))
    tokenizer.add_special_tokens([name for name in special_tokens.names if name not in added])
    tokenizer.post_processor = frame(special_tokens, tokenizer)
    return SubwordTokenizer(tokenizer, special_tokens, clean_up_spaces=clean_up_spaces)


def require_special(
    special_tokens: SpecialTokens, entries: Container[str], added_tokens: Sequence[AddedToken]
) -> None:
    """Refuse a vocabulary in which a special token is missing.

    Raises:
        ValueError: one is.
    """
    added = {token.content for token in added_tokens}
    missing = [name for name in special_tokens.names if name not in entries and name not in added]
    if missing:
        message = f"the special token {reprlib.repr(missing[0])} is missing from the vocabulary"
        raise ValueError(message)
