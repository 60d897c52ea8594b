"""How the entries of a vocabulary say where a piece stands in a word.

WordPiece   `##ing` goes on, `sing` begins a word
byte level  `\u0120sing` begins a word after a space, `ing` goes on; the entry is of bytes
metaspace   `\u2581sing` begins a word, `ing` goes on; SentencePiece's Unigram and BPE
letters     every entry is a letter, and there are no words
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from tokenizers import Tokenizer, decoders

BYTE_SPACE = "\u0120"
"""How byte-level vocabularies write the byte of a space."""

METASPACE = "\u2581"

_REPLACED = "\ufffd"
_BYTES = decoders.ByteLevel()


class Spelling(Protocol):
    """What is known of all entries of a vocabulary."""

    marks_rest: ClassVar[bool]
    """Whether what goes on with a word is marked; else what begins one is, or nothing."""

    def begins_word(self, entry: str) -> bool:
        """Say whether a piece begins a word, or goes on with the one before it."""

    def strip(self, entry: str) -> str:
        """Return what a piece adds to a text, without what says where it stands."""

    def strip_text(self, text: str) -> str:
        """Return the same of pieces that were decoded together."""

    def join(self, before: str, *, begins_word: bool) -> str:
        """Return the text before a piece, as a person would write it there."""

    def is_marked(self, entry: str) -> bool:
        """Say whether an entry itself says where it stands, as nobody writes a word."""

    def is_broken(self, entry: str) -> bool:
        """Say whether a piece is of bytes that are no whole character."""


@dataclass(frozen=True, slots=True)
class WordPieceSpelling:
    """What goes on with a word has a mark."""

    marks_rest: ClassVar[bool] = True
    prefix: str = "##"

    def begins_word(self, entry: str) -> bool:
        """Say that it has no mark."""
        return not entry.startswith(self.prefix)

    def strip(self, entry: str) -> str:
        """Drop the mark."""
        return entry.removeprefix(self.prefix)

    def strip_text(self, text: str) -> str:
        """Drop the mark, which decoding leaves there."""
        return text.removeprefix(self.prefix)

    def join(self, before: str, *, begins_word: bool) -> str:
        """Put what goes on behind the word; a caller who glued a mask to it meant that."""
        return before if begins_word else before.rstrip()

    def is_marked(self, entry: str) -> bool:
        """Say that it has the mark."""
        return entry.startswith(self.prefix)

    def is_broken(self, entry: str) -> bool:  # noqa: ARG002  # none is
        """Say no: these are characters."""
        return False


@dataclass(frozen=True, slots=True)
class SpaceSpelling:
    """What begins a word has its space in it."""

    marks_rest: ClassVar[bool] = False
    mark: ClassVar[str]
    spaces: ClassVar[str | None]
    """What stands for the space between words; None for any white space."""

    def begins_word(self, entry: str) -> bool:
        """Say that it has the space."""
        return entry.startswith(self.mark)

    def strip(self, entry: str) -> str:
        """Drop the space."""
        return entry.removeprefix(self.mark)

    def strip_text(self, text: str) -> str:
        """Drop the space."""
        return text.removeprefix(" ")

    def join(self, before: str, *, begins_word: bool) -> str:
        """Have one space before a word, and none before what goes on with one."""
        if not begins_word:
            return before.rstrip(self.spaces)
        return f"{before} " if before and not before[-1].isspace() else before

    def is_marked(self, entry: str) -> bool:
        """Say that it has the space as the vocabulary writes it."""
        return entry.startswith(self.mark)

    def is_broken(self, entry: str) -> bool:  # noqa: ARG002  # none is
        """Say no: these are characters."""
        return False


@dataclass(frozen=True, slots=True)
class MetaspaceSpelling(SpaceSpelling):
    """SentencePiece's: all white space between words is one."""

    mark: ClassVar[str] = METASPACE
    spaces: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class ByteLevelSpelling(SpaceSpelling):
    """GPT-2's: entries are bytes, and a line's end is a token like others.

    Attributes:
        owns_space: whether the mask takes the space before it; else that is a token of its own,
            and what follows it begins a word without one.
    """

    mark: ClassVar[str] = BYTE_SPACE
    spaces: ClassVar[str | None] = " "

    owns_space: bool = True

    def strip(self, entry: str) -> str:
        """Return the characters of the bytes, U+FFFD where these are none."""
        return str(_BYTES.decode([entry.removeprefix(self.mark)]))

    def join(self, before: str, *, begins_word: bool) -> str:
        """Have one space before a word, and none before what goes on with one."""
        if not begins_word and not self.owns_space:
            return before
        return SpaceSpelling.join(self, before, begins_word=begins_word)

    def is_broken(self, entry: str) -> bool:
        """Say whether there is a part of a character in it."""
        return _REPLACED in self.strip(entry)


@dataclass(frozen=True, slots=True)
class LetterSpelling:
    """A sequence of letters: every one stands alone."""

    marks_rest: ClassVar[bool] = False

    def begins_word(self, entry: str) -> bool:  # noqa: ARG002  # all are alike
        """Say yes: none goes on with another."""
        return True

    def strip(self, entry: str) -> str:
        """Return it: there is no mark."""
        return entry

    def strip_text(self, text: str) -> str:
        """Leave out the spaces that decoding puts between all letters."""
        return text.replace(" ", "")

    def join(self, before: str, *, begins_word: bool) -> str:  # noqa: ARG002  # as it was written
        """Leave the spaces as they are."""
        return before

    def is_marked(self, entry: str) -> bool:  # noqa: ARG002  # there is no mark
        """Say no."""
        return False

    def is_broken(self, entry: str) -> bool:  # noqa: ARG002  # none is
        """Say no: these are characters."""
        return False


def find_spelling(tokenizer: Tokenizer, mask: str) -> Spelling:
    """Return how a tokenizer spells, as its own parts say.

    Args:
        tokenizer: any.
        mask: how its mask is spelled.
    """
    model = type(tokenizer.model).__name__
    if model == "WordPiece":
        return WordPieceSpelling(tokenizer.model.continuing_subword_prefix or "##")
    if model == "WordLevel":
        return LetterSpelling()
    parts = f"{describe_part(tokenizer.pre_tokenizer)} {describe_part(tokenizer.decoder)}"
    if "ByteLevel" in parts:
        added = tokenizer.get_added_tokens_decoder().values()
        return ByteLevelSpelling(any(t.lstrip for t in added if t.content == mask))
    if "Metaspace" in parts or METASPACE in parts:
        return MetaspaceSpelling()
    return WordPieceSpelling()


def describe_part(part: object) -> str:
    """Return a part of a tokenizer as its file writes it, JSON, empty where there is none."""
    return "" if part is None else part.__getstate__().decode()  # type: ignore[attr-defined]
