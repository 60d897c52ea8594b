"""Filling a mask in the caller's own text, as a person would write it."""

from typing import TYPE_CHECKING

from model_store.text.encoding import Encoding
from model_store.text.target import Target

if TYPE_CHECKING:
    from model_store.encoder.tokenizers.spelling import Spelling


def splice_entry(encoding: Encoding, mask: int, entry: str, spelling: "Spelling") -> str:
    """Return a text with one mask filled by an entry of the vocabulary.

    One that goes on with a word joins the one before. Of a pair, the text is that with the mask.
    """
    word, begins_word = spelling.strip(entry), spelling.begins_word(entry)
    return _splice(encoding, mask, word, spelling, begins_word=begins_word)


def splice_target(
    encoding: Encoding, mask: int, target: Target, first: str, spelling: "Spelling"
) -> str:
    """Return a text with one mask filled by what was proposed for it, as it was spelled.

    Args:
        encoding: the text.
        mask: which one.
        target: what can be written.
        first: its first entry in the vocabulary.
        spelling: that of the vocabulary.
    """
    if target.match == "exact":
        return splice_entry(encoding, mask, first, spelling)
    is_said = spelling.is_marked(target.text)
    word = spelling.strip(target.text) if is_said else target.text.lstrip()
    begins_word = spelling.begins_word(target.text if spelling.marks_rest else first)
    return _splice(encoding, mask, word, spelling, begins_word=begins_word)


def _splice(
    encoding: Encoding, mask: int, word: str, spelling: "Spelling", *, begins_word: bool
) -> str:
    text = encoding.text_of(mask)
    start, end = encoding.mask_spans[mask]
    return spelling.join(text[:start], begins_word=begins_word) + word + text[end:]
