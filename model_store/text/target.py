"""What somebody proposes for a mask, as a vocabulary writes it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Match: TypeAlias = Literal["exact", "pieces", "unknown"]


@dataclass(frozen=True, slots=True)
class Target:
    """A word, or several, proposed for a mask.

    Attributes:
        text: as it was proposed.
        token_ids: its entries; one, several, or none where the vocabulary cannot write it.
        entries: how the vocabulary spells these.
    """

    text: str
    token_ids: tuple[int, ...]
    entries: tuple[str, ...]

    @property
    def match(self) -> Match:
        """Whether it is one entry, several pieces, or cannot be written."""
        if not self.token_ids:
            return "unknown"
        return "exact" if len(self.token_ids) == 1 else "pieces"
