"""The tokens that mean something to a model, by what they do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The five roles; two of them may be one token.

    Attributes:
        pad: fills rows up.
        unk: stands for what the vocabulary cannot write; None where it can write everything.
        cls: starts a sequence.
        sep: ends a segment.
        mask: stands where a word is missing.
    """

    pad: str = "[PAD]"
    unk: str | None = "[UNK]"
    cls: str = "[CLS]"
    sep: str = "[SEP]"
    mask: str = "[MASK]"

    @property
    def names(self) -> tuple[str, ...]:
        """Those that there are."""
        listed = (self.pad, self.unk, self.cls, self.sep, self.mask)
        return tuple(name for name in listed if name is not None)
