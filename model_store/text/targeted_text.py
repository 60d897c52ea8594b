"""The answer for one text whose masks somebody proposes words for."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model_store.text.encoding import Encoding
from model_store.text.target import Target

if TYPE_CHECKING:
    from model_store.text.text_codec import TextCodec


@dataclass(frozen=True, slots=True)
class ScoredTarget:
    """A target at one mask, and how likely it is there.

    Attributes:
        target: what was proposed.
        log_probability: natural logarithm, over the whole vocabulary; of several pieces, of all of
            them together. None of what is unknown.
        rank: one more than the entries that are likelier at this mask. None of what is unknown.
        pieces: the log-probability of each piece, given those before it; empty for one entry.
    """

    target: Target
    log_probability: float | None = None
    rank: int | None = None
    pieces: tuple[float, ...] = ()

    @property
    def score(self) -> float | None:
        """Its probability."""
        return None if self.log_probability is None else math.exp(self.log_probability)

    @property
    def token_str(self) -> str | None:
        """The one entry that it is, or else the target as it was proposed; None if unknown."""
        match self.target.match:
            case "exact":
                return self.target.entries[0]
            case "pieces":
                return self.target.text
            case "unknown":
                return None


@dataclass(frozen=True, slots=True)
class TargetedText:
    """A text, and for each of its masks the targets: the likeliest first, the unknown last."""

    encoding: Encoding
    masks: tuple[tuple[ScoredTarget, ...], ...]
    codec: "TextCodec"

    def spliced_sequence(self, mask: int, scored: ScoredTarget) -> str | None:
        """Return the caller's own text with one mask filled; None with what is unknown."""
        if scored.target.match == "unknown":
            return None
        return self.codec.splice_target(self.encoding, mask, scored.target)
