"""Targets as a vocabulary writes them."""

import pytest

from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.text.text_codec import TextCodec

ENTRIES = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("cafe", "café", "Cafe", "Café", "C", "##afe", "##s", "new", "york", "don", "'", "t", "-"),
)


@pytest.mark.parametrize(
    ("target", "lowercase", "match", "entries"),
    [
        # As the tokenizer reads it: uncased drops case and accents, cased keeps both.
        ("CAFE", True, "exact", ("cafe",)),
        ("CAFÉ", True, "exact", ("cafe",)),
        ("CAFE", False, "unknown", ()),
        ("Cafes", False, "pieces", ("Cafe", "##s")),
        ("Cafés", False, "pieces", ("Café", "##s")),
        ("Cafés", True, "pieces", ("cafe", "##s")),
        # As the vocabulary spells it, before anything is read.
        ("café", True, "exact", ("café",)),
        ("Café", False, "exact", ("Café",)),
        ("##s", True, "exact", ("##s",)),
        ("[MASK]", True, "exact", ("[MASK]",)),
        ("[UNK]", True, "exact", ("[UNK]",)),
        # Several words, and signs within one.
        (" New  York ", True, "pieces", ("new", "york")),
        ("don't", True, "pieces", ("don", "'", "t")),
        # What cannot be written, in part or at all, and what would stay open.
        ("new zealand", True, "unknown", ()),
        ("☃", True, "unknown", ()),
        ("", True, "unknown", ()),
        (" \n", True, "unknown", ()),
        ("new [MASK]", True, "unknown", ()),
        ("c" * 101, True, "unknown", ()),
    ],
)
def test_target_is_what_the_tokenizer_reads(
    target: str, *, lowercase: bool, match: str, entries: tuple[str, ...]
) -> None:
    """One entry, several, or none."""
    codec = TextCodec(build_word_piece(ENTRIES, lowercase=lowercase), 12)
    found = codec.read_target(target)
    assert (found.text, found.match, found.entries) == (target, match, entries)
    assert found.token_ids == tuple(ENTRIES.index(entry) for entry in entries)
