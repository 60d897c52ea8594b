"""Which candidates may be answered, in the words of a caller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from model_store.tasks.limits import TaskLimits, require
from model_store.text.questions import Filtered
from model_store.text.text_codec import TextCodec


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """What is left out before the likeliest are taken.

    Attributes:
        whole_words: whether `##pieces`, special and `[unused]` tokens are left out.
        alphabetic: whether all is left out that is not of letters only.
        exclude: words to leave out, as they are spelled. One that is no single entry of the
            vocabulary would never be answered, and excludes nothing.
        originals: the word that each input had at its masks, left out in lower case, upper case
            and capitalized too; none, or one an input.
        min_score: the least probability.
    """

    whole_words: bool = False
    alphabetic: bool = False
    exclude: Sequence[str] = ()
    originals: Sequence[str] = ()
    min_score: float = 0.0

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.exclude)) + sum(map(len, self.originals))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many words are excluded.
        """
        require("excluded words", len(self.exclude), limits.max_targets)

    def ask(self, codec: TextCodec, inputs: int, top_k: int) -> list[Filtered]:
        """Return what is asked about each input.

        Args:
            codec: finds the entries that are excluded.
            inputs: how many there are.
            top_k: how many candidates a mask.
        """
        # Once for all inputs: there may be hundreds of these, and a thousand words.
        excluded = _find_entries(codec, self.exclude)
        originals = self.originals or [""] * inputs
        return [
            Filtered(
                top_k=top_k,
                whole_words=self.whole_words,
                alphabetic=self.alphabetic,
                excluded_ids=np.array(
                    sorted(excluded | _find_entries(codec, _vary(original))), np.int32
                ),
                min_score=self.min_score,
            )
            for original in originals
        ]


def _find_entries(codec: TextCodec, words: Iterable[str]) -> set[int]:
    """Return the ids of the words that are single entries, wherever a word may stand."""
    found = (codec.read_target(word, place).token_ids for word in words for place in codec.places)
    return {ids[0] for ids in found if len(ids) == 1}


def _vary(word: str) -> tuple[str, ...]:
    """Return the spellings of one word that differ in case."""
    return word, word.lower(), word.upper(), word.capitalize()
