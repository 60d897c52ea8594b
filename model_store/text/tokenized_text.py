"""A text and its tokens, as people look at them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands, in the form of text-embeddings-inference.

    Attributes:
        id: its index in the vocabulary.
        text: the piece of the caller's text that it stands for, or its own name if there is none.
        special: whether the tokenizer put it there, around the text.
        start: where that piece starts, in characters; None for a special one.
        stop: where it ends.
    """

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class TokenizedText:
    """A text whose tokens are counted, and named once they are asked for."""

    def __init__(self, text: str, token_ids: list[int], encoding: Any) -> None:
        """Take a text, its ids and its `tokenizers.Encoding`."""
        self._text = text
        self._token_ids = token_ids
        self._encoding = encoding

    def __len__(self) -> int:
        """Return how many tokens there are."""
        return len(self._encoding)

    def list_tokens(self) -> list[Token]:
        """Return all of them, in order."""
        encoding = self._encoding
        columns = self._token_ids, encoding.tokens, encoding.special_tokens_mask, encoding.offsets
        return [
            Token(token_id, name, special=True, start=None, stop=None)
            if is_special
            else Token(token_id, self._text[start:stop], special=False, start=start, stop=stop)
            for token_id, name, is_special, (start, stop) in zip(*columns, strict=True)
        ]
