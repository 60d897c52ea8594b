"""A head is proven on texts that its vocabulary can read, whatever the kind of that."""

import numpy as np
import pytest

from model_store.loading.proving.head_proof import can_read, list_for, read_probe_texts
from model_store.loading.proving.masked_sample import make_sample
from text_kinds import KINDS, WORDS, make_codec

TEXTS = read_probe_texts()
PROTEINS = {name for name in TEXTS if name.startswith("protein_")}


def reads(kind: str, name: str) -> bool:
    """Say whether a vocabulary can read a text of a name."""
    codec = make_codec(kind)
    return can_read(codec, *codec.tokenize_apart(TEXTS[name]))


@pytest.mark.parametrize("kind", WORDS)
def test_vocabularies_of_words_are_asked_for_no_proteins(kind: str) -> None:
    """They could spell each of them, and would know nothing of it."""
    assert not PROTEINS & set(list_for(make_codec(kind), TEXTS))
    assert reads(kind, "english")


def test_letters_read_proteins() -> None:
    """And no language."""
    assert len(PROTEINS) > 3
    assert set(list_for(make_codec("esm"), TEXTS)) >= PROTEINS
    assert all(reads("esm", name) for name in PROTEINS)
    assert not any(reads("esm", name) for name in ("english", "chinese", "russian"))


def test_bytes_read_what_they_have_characters_for() -> None:
    """Every text can be written; one of half characters is in no language of theirs."""
    assert reads("roberta", "german")
    assert not reads("roberta", "korean")


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_what_stands_around_every_text(kind: str) -> None:
    """And one mask each, in the text."""
    codec = make_codec(kind)
    sample = make_sample(codec, TEXTS)
    assert len(sample) > 20
    frame = codec.tokenize("A")
    for encoding in sample:
        assert encoding.token_ids[[0, -1]].tolist() == frame[[0, -1]].tolist()
        masked = np.flatnonzero(encoding.token_ids == codec.mask_token_id)
        assert masked.tolist() == encoding.mask_positions.tolist()
        assert 0 < masked[0] < len(encoding.token_ids) - 1
