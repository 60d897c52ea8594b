"""The tokenizer: BERT's rules, and nothing that the library adds of its own."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer

from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece, is_plain
from tiny_checkpoints import SPECIAL_TOKENS, cased_vocabulary


@pytest.fixture(scope="module")
def cased() -> SubwordTokenizer:
    """A tokenizer that keeps case."""
    return build_word_piece(cased_vocabulary(), lowercase=False)


@pytest.mark.parametrize(
    ("lowercase", "strip_accents", "token_strs"),
    [
        (True, None, ["e", "##t", "##e"]),
        (True, False, ["é", "##t", "##é"]),
        (False, None, ["É", "##t", "##é"]),
        (False, True, ["E", "##t", "##e"]),
    ],
)
def test_accents_go_where_text_is_lowercased_unless_told_otherwise(
    lowercase: bool, strip_accents: bool | None, token_strs: list[str]
) -> None:
    """As in the original BERT."""
    tokenizer = build_word_piece(
        cased_vocabulary(), lowercase=lowercase, strip_accents=strip_accents
    )
    assert tokenizer.encode("Été").tokens[1:-1] == token_strs


def test_a_mask_is_one_token_wherever_it_stands(cased: SubwordTokenizer) -> None:
    """Between words, within one, beside CJK and punctuation."""
    encoded = cased.encode("a[MASK]b [MASK], 北[MASK]京[MASK]!")
    assert encoded.ids.count(cased.mask_token_id) == 4


def test_cjk_characters_are_words_unless_told_otherwise() -> None:
    """`tokenize_chinese_chars` is honoured."""
    joined = build_word_piece(cased_vocabulary(), split_cjk=False)
    assert joined.encode("北京").tokens[1:-1] == ["北", "##京"]


def test_other_special_tokens_are_honoured() -> None:
    """A checkpoint may spell its mask otherwise."""
    special = SpecialTokens(mask="<mask>")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<mask>", "a"]
    tokenizer = build_word_piece(vocabulary, special_tokens=special)
    assert tokenizer.encode("a<mask>").ids == [2, 5, 4, 3]


@pytest.mark.parametrize("missing", SPECIAL_TOKENS)
def test_a_vocabulary_without_a_special_token_is_refused(missing: str) -> None:
    """Otherwise masks, or padding, would be unknown words."""
    vocabulary = [entry for entry in cased_vocabulary() if entry != missing]
    with pytest.raises(ValueError, match="special token"):
        build_word_piece(vocabulary)


def test_of_an_entry_that_stands_twice_the_last_one_counts() -> None:
    """As in every BERT; the ids after the first one do not shift."""
    vocabulary = [*cased_vocabulary(), "cat"]
    tokenizer = build_word_piece(vocabulary, lowercase=False)
    assert tokenizer.encode("cat").ids[1:-1] == [len(vocabulary) - 1]
    assert tokenizer.token_str(vocabulary.index("cat")) == ""
    assert tokenizer.token_str(vocabulary.index("bird")) == "bird"


def test_an_empty_entry_is_no_target_and_takes_no_row() -> None:
    """A vocabulary file may end in an empty line."""
    tokenizer = build_word_piece([*cased_vocabulary(), ""])
    assert tokenizer.vocabulary_size == len(cased_vocabulary())
    assert tokenizer.target_id("") is None


def test_a_mask_that_texts_cannot_hold_is_refused() -> None:
    """It is in the vocabulary, but nothing keeps it from being cut to pieces."""
    content = json.loads(build_word_piece(cased_vocabulary()).to_json())
    content["added_tokens"] = []
    with pytest.raises(ValueError, match="'\\[MASK\\]' is not read as one token"):
        SubwordTokenizer(Tokenizer.from_str(json.dumps(content)), SpecialTokens())


def test_decoding_cleans_up_only_where_the_checkpoint_says_so() -> None:
    """Transformers' `clean_up_tokenization_spaces`."""
    texts = []
    for clean_up_spaces in (False, True):
        tokenizer = build_word_piece(
            cased_vocabulary(), lowercase=False, clean_up_spaces=clean_up_spaces
        )
        ids = tokenizer.encode("I ' d go").ids
        texts.append(tokenizer.decode(ids, skip_special_tokens=True))
    assert texts == ["I ' d go", "I'd go"]


def test_ids_beyond_the_vocabulary_have_no_name(cased: SubwordTokenizer) -> None:
    """A model may have more rows than its tokenizer has entries."""
    assert cased.token_str(10**6) == ""


def test_what_it_was_built_of_can_be_asked_for() -> None:
    """Its entries by id, and its options."""
    tokenizer = build_word_piece(
        cased_vocabulary(), lowercase=False, strip_accents=True, split_cjk=False
    )
    assert tokenizer.vocabulary == cased_vocabulary()
    assert (tokenizer.lowercase, tokenizer.strip_accents, tokenizer.split_cjk) == (
        False,
        True,
        False,
    )
    assert is_plain(tokenizer)


@pytest.mark.parametrize(
    "part",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"post_processor": None},
    ],
    ids=str,
)
def test_a_tokenizer_of_other_parts_is_not_plain(cased: SubwordTokenizer, part: Any) -> None:
    """Its entries and options do not say all of it."""
    changed = Tokenizer.from_str(json.dumps({**json.loads(cased.to_json()), **part}))
    assert not is_plain(SubwordTokenizer(changed, SpecialTokens()))


def test_skipped_ids_have_no_entry(cased: SubwordTokenizer) -> None:
    """They are no part of a list that could be read again."""
    content = json.loads(cased.to_json())
    content["model"]["vocab"]["far"] = 1000
    tokenizer = SubwordTokenizer(Tokenizer.from_str(json.dumps(content)), SpecialTokens())
    assert tokenizer.vocabulary[-2:] == ["", "far"]
    assert len(tokenizer.vocabulary) == 1001
    assert not is_plain(tokenizer)


def test_its_json_puts_two_texts_together(cased: SubwordTokenizer) -> None:
    """Whoever reads our `tokenizer.json` may need a second segment."""
    pair = Tokenizer.from_str(cased.to_json()).encode("a", "b")
    assert pair.tokens == ["[CLS]", "a", "[SEP]", "b", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 1, 1]
