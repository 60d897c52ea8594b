"""Pairs of texts are read as Transformers reads them, and each mask is found in its own text."""

import json
from pathlib import Path

import pytest

import golden
from fakes import make_tokenizer
from model_store.checkpoints import read_tokenizer
from model_store.errors import EmptyTextError, MaskNotFoundError, TextPairError, TextTooLongError
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.splicing import splice_entry
from model_store.text.text_codec import TextCodec
from model_store.text.text_pair import TextPair
from tiny_checkpoints import write_transformers_dir

PAIRS = json.loads((Path(golden.__path__[0]) / "pairs.json").read_text("utf-8"))


@pytest.fixture
def codec() -> TextCodec:
    """Return a codec with a small vocabulary."""
    return TextCodec(make_tokenizer(), 32)


def encode(codec: TextCodec, text: str, text_pair: str, limit: int = 1000) -> Encoding:
    """Encode a pair."""
    limits = TextLimits(max_characters=limit)
    return codec.encode(TextPair(text, text_pair), top_k=1, targets=None, limits=limits)


@pytest.mark.parametrize("name", ["uncased", "cased"])
def test_pairs_are_read_as_by_transformers(
    name: str, embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """Ids and segments are the same."""
    directory = embedded_preset_dir if name == "uncased" else write_transformers_dir(tmp_path / "x")
    codec = TextCodec(read_tokenizer(directory), 512)
    for pair in PAIRS[name]:
        encoding = encode(codec, pair["text"], pair["text_pair"])
        assert encoding.token_ids.tolist() == pair["token_ids"]
        assert encoding.segment_ids is not None
        assert encoding.segment_ids.tolist() == pair["segment_ids"]


def test_every_mask_lies_in_its_own_text(codec: TextCodec) -> None:
    """Its span counts there, and filling it leaves the other text out."""
    encoding = encode(codec, "the [MASK] [MASK]", "  cat[MASK] sat")
    assert encoding.mask_texts == (0, 0, 1)
    assert encoding.mask_spans == ((4, 10), (11, 17), (5, 11))
    found = [encoding.text_of(mask) for mask in range(3)]
    assert found == ["the [MASK] [MASK]"] * 2 + ["  cat[MASK] sat"]
    assert splice_entry(encoding, 1, "dog", codec.spelling) == "the [MASK] dog"
    assert splice_entry(encoding, 2, "##s", codec.spelling) == "  cats sat"


def test_second_text_can_be_all_that_has_a_mask(codec: TextCodec) -> None:
    """One mask in both together is enough."""
    assert encode(codec, "the cat", "[MASK]").mask_texts == (1,)
    with pytest.raises(MaskNotFoundError):
        encode(codec, "the cat", "the dog")


@pytest.mark.parametrize("texts", [("", "[MASK]"), ("[MASK]", " \n")])
def test_neither_text_may_be_empty(codec: TextCodec, texts: tuple[str, str]) -> None:
    """Whoever sends a pair means both."""
    with pytest.raises(EmptyTextError):
        encode(codec, *texts)


def test_limits_are_those_of_both_together(codec: TextCodec) -> None:
    """In characters, and in tokens with what stands between."""
    with pytest.raises(TextTooLongError, match="14 characters and the limit is 13"):
        encode(codec, "the [MASK]", "cats", limit=13)
    assert encode(codec, "[MASK]" * 15, "the " * 14).token_ids.size == 32
    with pytest.raises(TextTooLongError, match="33 tokens"):
        encode(codec, "[MASK]" * 15, "the " * 15)


def test_model_with_one_segment_is_sent_no_pair() -> None:
    """Also where the codec is another process's."""
    codec = TextCodec(make_tokenizer(), 32, num_segments=1)
    with pytest.raises(TextPairError, match="send one text"):
        encode(TextCodec.from_bytes(codec.to_bytes()), "the [MASK]", "cat")


def test_model_without_segments_takes_pairs() -> None:
    """It tells the texts apart by the separator alone."""
    codec = TextCodec(make_tokenizer(), 32, num_segments=0)
    assert encode(codec, "the [MASK]", "cat").mask_texts == (0,)


def test_one_text_has_one_segment(codec: TextCodec) -> None:
    """Nothing is said of segments then."""
    encoding = codec.encode("the [MASK]", top_k=1, targets=None, limits=TextLimits())
    assert (encoding.segment_ids, encoding.text_pair, encoding.mask_texts) == (None, None, ())
    assert encoding.text_of(0) == "the [MASK]"
