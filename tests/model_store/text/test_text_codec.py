"""A codec that was handed to another process does the same there."""

from pathlib import Path

import pytest

from model_store.checkpoints import read_tokenizer
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.text.encoding import TextLimits
from model_store.text.text_codec import TextCodec

TEXTS = ["The capital of France is [MASK].", "Ünïcode [MASK] 東京 [MASK]!", "don't [MASK] n't ."]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_read_and_written_alike(embedded_preset_dir: Path, text: str) -> None:
    """Ids, offsets and decoded texts are the same."""
    codec = TextCodec(read_tokenizer(embedded_preset_dir), 512)
    other = TextCodec.from_bytes(codec.to_bytes())
    limits = TextLimits()
    ours, theirs = (
        c.encode(text, top_k=1, targets=["paris"], limits=limits) for c in (codec, other)
    )
    assert ours.token_ids.tolist() == theirs.token_ids.tolist()
    assert ours.mask_spans == theirs.mask_spans
    ids = ours.token_ids.tolist()
    decoded = [c._tokenizer.decode(ids, skip_special_tokens=True) for c in (codec, other)]
    assert decoded[0] == decoded[1]


@pytest.mark.parametrize("clean_up_spaces", [True, False])
def test_what_a_tokenizer_file_does_not_say_is_handed_on(*, clean_up_spaces: bool) -> None:
    """The spellings of special tokens, the cleaning of spaces, and the limit on tokens."""
    special = SpecialTokens(mask="<mask>")
    vocabulary = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "<mask>", "a")
    tokenizer = build_word_piece(
        vocabulary, special_tokens=special, clean_up_spaces=clean_up_spaces
    )
    other = TextCodec.from_bytes(TextCodec(tokenizer, 7).to_bytes())
    assert (other.mask_token, other.max_sequence_length) == ("<mask>", 7)
    assert other._tokenizer.clean_up_spaces == clean_up_spaces


def test_bytes_are_the_same_each_time(embedded_preset_dir: Path) -> None:
    """They tell one codec from another, also after a journey."""
    codec = TextCodec(read_tokenizer(embedded_preset_dir), 512)
    assert codec.to_bytes() == TextCodec.from_bytes(codec.to_bytes()).to_bytes()
    assert codec.to_bytes() != TextCodec(read_tokenizer(embedded_preset_dir), 511).to_bytes()
