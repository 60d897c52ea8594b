"""On the native routes `[MASK]` and the tokenizer's own mask are one, for every vocabulary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_store.errors import MaskNotFoundError
from model_store.tasks.targets.request import read_words
from model_store.tasks.targets.target_scores import TargetScores
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import MaskScores
from model_store.text.questions import Filtered
from model_store.text.text_codec import TextCodec
from model_store.text.text_pair import TextPair
from model_store.text.word_filter import WordFilter
from text_kinds import KINDS, WORDS, find_id, make_codec

BITS = st.lists(
    st.sampled_from(
        ["{}", " {}", "the", " ", "  ", "\n", "un", "(", ".", "北京", "é", "😀", "\u00a0"]
    ),
    max_size=12,
)


def encode(codec: TextCodec, text: str | TextPair, *, own_mask: bool = False) -> Encoding:
    """Encode a text."""
    return codec.encode(text, top_k=1, targets=None, limits=TextLimits(), own_mask=own_mask)


def fill(codec: TextCodec, text: str, entry: str, mask: int = 0) -> str:
    """Return a text with one mask filled by an entry, as the native routes do."""
    encoding = encode(codec, text)
    token = np.array([find_id(codec, entry)], np.int32)
    scores = [MaskScores(token, np.zeros(1, np.float32))] * len(encoding.mask_positions)
    filled = codec.decode(encoding, scores)
    return filled.spliced_sequence(mask, filled.predictions[mask][0])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(BITS)
def test_both_spellings_of_a_mask_are_one(kind: str, bits: list[str]) -> None:
    """The model reads the same, and spans point at what the caller wrote."""
    codec = make_codec(kind)
    text = "".join([*bits, "{}"])
    usual, own = (text.replace("{}", mask) for mask in ("[MASK]", codec.mask_token))
    ours, theirs = encode(codec, usual), encode(codec, own, own_mask=True)
    assert ours.token_ids.tolist() == theirs.token_ids.tolist()
    assert {usual[start:end] for start, end in ours.mask_spans} == {"[MASK]"}
    assert {own[start:end] for start, end in theirs.mask_spans} == {codec.mask_token}
    assert len(ours.mask_spans) == text.count("{}")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(BITS, st.integers(0, 30))
def test_filling_keeps_the_callers_text(kind: str, bits: list[str], token: int) -> None:
    """Whatever is filled in, nothing but white space before the mask may change."""
    codec = make_codec(kind)
    text = "".join([*bits, "[MASK]", *bits]).replace("{}", "the")
    encoding = encode(codec, text)
    scores = MaskScores(np.array([token], np.int32), np.zeros(1, np.float32))
    filled = codec.decode(encoding, [scores])
    sequence = filled.spliced_sequence(0, filled.predictions[0][0])
    start, end = encoding.mask_spans[0]
    assert sequence.startswith(text[:start].rstrip())
    assert sequence.endswith(text[end:])


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "camembert", "mpnet", "esm"])
def test_a_pipelines_text_has_the_tokenizers_own_mask(kind: str) -> None:
    """There `[MASK]` is a text like others, as for Transformers, and no mask."""
    with pytest.raises(MaskNotFoundError, match="<mask>"):
        encode(make_codec(kind), "a [MASK]", own_mask=True)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_pairs_lie_in_their_own_texts(kind: str) -> None:
    """Filling one leaves the other text out."""
    encoding = encode(make_codec(kind), TextPair("a [MASK]", "  [MASK] b"))
    assert encoding.mask_texts == (0, 1)
    assert encoding.mask_spans == ((2, 8), (2, 8))


@pytest.mark.parametrize(
    ("kind", "text", "entry", "sequence"),
    [
        ("roberta", "I drink [MASK].", "Ġwater", "I drink water."),
        ("roberta", "I drink <mask>.", "Ġwater", "I drink water."),
        ("roberta", "I fight [MASK].", "er", "I fighter."),
        ("roberta", "I fight[MASK].", "er", "I fighter."),
        ("roberta", "I drink[MASK].", "Ġwater", "I drink water."),
        ("roberta", "[MASK] is", "Ġwater", "water is"),
        ("roberta", "a\n[MASK] is", "er", "a\ner is"),
        ("roberta", "a\n[MASK] is", "Ġwater", "a\nwater is"),
        ("roberta", "a [MASK]", "Ð¾", "aо"),
        ("roberta", "a [MASK]", "±äº¬", "a\ufffd京"),
        ("roberta, two files", "I fight [MASK].", "er", "I fight er."),
        ("roberta, two files", "I drink [MASK].", "Ġwater", "I drink water."),
        ("modernbert", "I drink [MASK].", "Ġwater", "I drink water."),
        ("modernbert", "I  fight  [MASK].", "er", "I  fighter."),
        ("xlm-roberta", "I drink [MASK].", "▁water", "I drink water."),
        ("xlm-roberta", "I drink[MASK].", "▁water", "I drink water."),
        ("xlm-roberta", "I sleep \n [MASK].", "lease", "I sleeplease."),
        ("xlm-roberta", "[MASK] sleep", "lease", "lease sleep"),
        ("mpnet", "I drink [MASK].", "water", "I drink water."),
        ("mpnet", "I drink <mask>.", "##ing", "I drinking."),
        ("electra", "I drink [MASK].", "##ing", "I drinking."),
        ("electra", "fire[MASK].", "water", "firewater."),
        ("esm", "MK[MASK]L", "A", "MKAL"),
        ("esm", "M K <mask> L", "A", "M K A L"),
    ],
)
def test_sequences_are_as_a_person_writes(kind: str, text: str, entry: str, sequence: str) -> None:
    """What begins a word has a space before it, what goes on with one has none."""
    assert fill(make_codec(kind), text, entry) == sequence


@pytest.mark.parametrize(
    ("kind", "text", "target", "entries"),
    [
        ("roberta", "I drink [MASK].", "water", ["Ġwater"]),
        ("roberta", "I drink [MASK].", " water", ["Ġwater"]),
        ("roberta", "I drink [MASK].", "Ġwater", ["Ġwater"]),
        ("roberta", "I fight[MASK].", "er", ["er"]),
        ("roberta", "I drink[MASK].", " water", ["Ġwater"]),
        ("roberta", "[MASK] it", "un", ["un"]),
        ("roberta", "I [MASK]", "play and", ["Ġplay", "Ġand"]),
        ("roberta, a space first", "[MASK] it", "water", ["Ġwater"]),
        ("roberta, a space first", "I fight[MASK].", "er", ["er"]),
        ("roberta, two files", "I drink [MASK].", "er", ["er"]),
        ("modernbert", "I drink [MASK].", "water", ["Ġwater"]),
        ("xlm-roberta", "I drink [MASK].", "water", ["▁water"]),
        ("xlm-roberta", "[MASK] it", "water", ["▁water"]),
        ("xlm-roberta", "I[MASK].", "lease", ["lease"]),
        ("xlm-roberta", "I[MASK].", "▁water", ["▁water"]),
        ("xlm-roberta", "I[MASK].", "lease water", ["lease", "▁water"]),
        ("electra", "I drink[MASK].", "##ing", ["##ing"]),
        ("electra", "I drink[MASK].", "water", ["water"]),
        ("esm", "MK[MASK]", "A", ["A"]),
        ("esm", "MK[MASK]", "AG", ["A", "G"]),
    ],
)
def test_targets_are_read_in_the_place_of_their_mask(
    kind: str, text: str, target: str, entries: list[str]
) -> None:
    """A word after a space is another entry than the end of one."""
    codec = make_codec(kind)
    [[found]] = read_words([target], encode(codec, text), codec)
    assert [codec.entry(token) for token in found.token_ids] == entries


@pytest.mark.parametrize(
    ("kind", "text", "target", "sequence"),
    [
        ("roberta", "I [MASK].", "play and", "I play and."),
        ("roberta", "I fight[MASK].", "er and", "I fighter and."),
        ("roberta", "I[MASK].", " play and", "I play and."),
        ("xlm-roberta", "I [MASK].", "Play and", "I Play and."),
        ("electra", "I [MASK].", "fire water", "I fire water."),
        ("esm", "MK[MASK]", "AG", "MKAG"),
    ],
)
def test_targets_of_several_pieces_are_written_as_proposed(
    kind: str, text: str, target: str, sequence: str
) -> None:
    """In their own spelling."""
    codec = make_codec(kind)
    encoding = encode(codec, text)
    words = read_words([target], encoding, codec)
    assert words[0][0].match == "pieces"
    assert len(TargetScores(encoding, words, 100).encode_words(codec.mask_token_id)) > 0
    assert codec.splice_target(encoding, 0, words[0][0]) == sequence


@pytest.mark.parametrize(
    ("kind", "kept", "left_out"),
    [
        ("roberta", ["Ġwater", "Ġthe"], ["ater", "Ġ", "<mask>", "Ċ"]),
        ("xlm-roberta", ["▁water", "▁*"], ["lease", "▁", "<mask>", "</s>"]),
        ("mpnet", ["water", "."], ["##ing", "<s>"]),
        ("esm", ["A", "L"], ["<mask>", "<cls>"]),
    ],
)
def test_whole_words_begin_a_word(kind: str, kept: list[str], left_out: list[str]) -> None:
    """By the marks of each vocabulary."""
    codec = make_codec(kind)
    words = WordFilter(codec._tokenizer, 1000)  # as the model does
    flags = words.keep(Filtered(1, True, False, np.array([], np.int32)))  # noqa: FBT003
    assert all(flags[find_id(codec, entry)] for entry in kept)
    assert not any(flags[find_id(codec, entry)] for entry in left_out)


def test_letters_are_told_by_what_bytes_say() -> None:
    """`Ð¾` is one Cyrillic letter; half a character is none."""
    codec = make_codec("roberta")
    words = WordFilter(codec._tokenizer, 640)  # as the model does
    assert all(words.alphabetic[find_id(codec, entry)] for entry in ("Ð¾", "Ġwater", "ater"))
    assert not any(words.alphabetic[find_id(codec, entry)] for entry in ("±äº¬", "Ġ", "1"))


@pytest.mark.parametrize("kind", WORDS)
def test_only_half_characters_and_the_unknown_cannot_be_read(kind: str) -> None:
    """By these a text is known to be in another language."""
    codec = make_codec(kind)
    entries = {codec.entry(token) for token in codec.unreadable_ids}
    if kind in {"roberta", "modernbert"}:
        assert "±äº¬" in entries
        assert not {"Ð¾", "Ġwater", "<mask>"} & entries
    else:
        assert entries == {codec.entry(codec.unk_token_id)}


def test_listed_tokens_name_the_mask_by_its_id() -> None:
    """However it was written."""
    codec = make_codec("roberta")
    for text in ("a [MASK]", "a <mask>"):
        ids = [token.id for token in codec.split(text, add_special_tokens=False).list_tokens()]
        assert ids[-1] == codec.mask_token_id


@pytest.mark.parametrize("kind", KINDS)
def test_scored_texts_know_what_is_special(kind: str) -> None:
    """What is around a text, and nothing of the text."""
    codec = make_codec(kind)
    sentence = codec.read("A L G", TextLimits())
    assert sentence.is_special.tolist() == [True, *[False] * (len(sentence.spans) - 2), True]
    own = (sentence.text[start:end].strip() for start, end in sentence.spans[1:-1])
    assert "".join(dict.fromkeys(own)) == "ALG"
