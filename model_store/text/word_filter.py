"""Which entries of a vocabulary a filter keeps."""

import re
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.text.questions import Filtered

if TYPE_CHECKING:
    from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

Flags: TypeAlias = NDArray[np.bool_]

_UNUSED = re.compile(r"\[unused\d+\]")


class WordFilter:
    """The entries of a vocabulary by what they are; they are looked through once."""

    def __init__(self, tokenizer: "SubwordTokenizer", vocabulary_size: int) -> None:
        """Look at nothing yet.

        Args:
            tokenizer: names the entries.
            vocabulary_size: how many a model scores, which may be more than have names.
        """
        self._tokenizer = tokenizer
        self._vocabulary_size = vocabulary_size

    @cached_property
    def whole_words(self) -> Flags:
        """What begins a word and is no special or `[unused]` token: `[vocabulary_size]`."""
        spelling = self._tokenizer.spelling
        return np.array(
            [spelling.begins_word(e) and bool(spelling.strip(e).strip()) for e in self._words],
            np.bool_,
        )

    @cached_property
    def alphabetic(self) -> Flags:
        """What is of letters only, wherever it stands in a word: `[vocabulary_size]`."""
        strip = self._tokenizer.spelling.strip
        return np.array([_is_alphabetic(strip(e)) for e in self._words], np.bool_)

    def keep(self, question: Filtered) -> Flags:
        """Return whether each entry is kept: `[vocabulary_size]`, which is the caller's."""
        kept = np.ones(self._vocabulary_size, np.bool_)
        if question.whole_words:
            kept &= self.whole_words
        if question.alphabetic:
            kept &= self.alphabetic
        kept[question.excluded_ids] = False
        return kept

    @cached_property
    def _words(self) -> list[str]:
        """Every entry, empty where it is none that a text has."""
        special = self._tokenizer.all_special_ids
        entries = map(self._tokenizer.entry, range(self._vocabulary_size))
        return [
            "" if token in special or _UNUSED.fullmatch(entry) else entry
            for token, entry in enumerate(entries)
        ]


def _is_alphabetic(entry: str) -> bool:
    """Say whether an entry is of letters and their marks: many scripts write vowels as marks."""
    categories = {unicodedata.category(character)[0] for character in entry}
    return "L" in categories and categories <= {"L", "M"}
