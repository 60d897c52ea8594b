"""Two texts that a model reads together."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TextPair:
    """A first and a second segment, which BERT is trained to tell apart.

    Attributes:
        text: the first.
        text_pair: the second.
    """

    text: str
    text_pair: str

    def __len__(self) -> int:
        """Return the characters of both."""
        return len(self.text) + len(self.text_pair)


Input: TypeAlias = str | TextPair
"""What a caller sends to be read at once."""


def list_texts(text: Input) -> list[str]:
    """Return the texts of an input, one or two."""
    return [text] if isinstance(text, str) else [text.text, text.text_pair]
