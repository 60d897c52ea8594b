"""What a filter takes for a word."""

import numpy as np
import pytest
from tokenizers import AddedToken

from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.text.questions import Filtered
from model_store.text.word_filter import WordFilter

SPECIAL = ("<pad>", "<unk>", "CLS", "SEP", "MASK")
ENTRIES = (*SPECIAL, "E1", "[unused12]", "unused", "cat", "##s", "##2", "can't", "हिन्दी", "北", "!")
EXTRA = 2
"""How many entries the model has behind the tokenizer's."""


@pytest.fixture
def words() -> WordFilter:
    """The filter of a vocabulary whose special tokens look like words."""
    tokenizer = build_word_piece(
        ENTRIES,
        special_tokens=SpecialTokens(*SPECIAL),
        added_tokens=[AddedToken("E1", special=True)],
    )
    return WordFilter(tokenizer, len(ENTRIES) + EXTRA)


def name(flags: np.ndarray) -> list[str]:
    """Return the entries that are kept, and a question mark for one without a name."""
    return [(*ENTRIES, *"?" * EXTRA)[index] for index in np.flatnonzero(flags)]


def test_whole_words_are_no_pieces_and_no_special_tokens(words: WordFilter) -> None:
    """However those are spelled; signs stand for themselves."""
    assert name(words.whole_words) == ["unused", "cat", "can't", "हिन्दी", "北", "!"]


def test_letters_of_every_script_are_alphabetic(words: WordFilter) -> None:
    """A piece may be of letters too, and a vowel may be a mark."""
    assert name(words.alphabetic) == ["unused", "cat", "##s", "हिन्दी", "北"]


def test_filters_add_up(words: WordFilter) -> None:
    """What one of them leaves out is out."""
    excluded = np.array([ENTRIES.index("cat")], np.int32)
    both = Filtered(5, whole_words=True, alphabetic=True, excluded_ids=excluded)
    assert name(words.keep(both)) == ["unused", "हिन्दी", "北"]


def test_without_a_filter_all_is_kept(words: WordFilter) -> None:
    """Also what has no name: a plain answer has it too."""
    none = Filtered(5, whole_words=False, alphabetic=False, excluded_ids=np.zeros(0, np.int32))
    assert words.keep(none).all()
    words.keep(Filtered(5, whole_words=False, alphabetic=False, excluded_ids=np.zeros(1, np.int32)))
    assert words.keep(none).all()
