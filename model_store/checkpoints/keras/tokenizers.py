"""The tokenizers of KerasHub's presets, each from its assets.

vocabulary.txt                 BERT's and DistilBERT's entries, one a line; ESM's letters
vocabulary.json, merges.txt    RoBERTa's
vocabulary.spm                 SentencePiece's file: XLM-RoBERTa's, ALBERT's

They read texts as the models were trained, which KerasHub's own do not always: see each reader. A
mask takes the space before it where that is a part of the word that it stands for.
"""

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from model_store.checkpoints.files import read_stripped_vocabulary, read_vocabulary
from model_store.checkpoints.transformers.tokenizers.sentencepiece import read_sentencepiece
from model_store.checkpoints.transformers.tokenizers.vocabularies import read_merge_files
from model_store.encoder.tokenizers.byte_level import build_byte_level
from model_store.encoder.tokenizers.frames import frame_as_bert, frame_as_roberta
from model_store.encoder.tokenizers.letters import build_letters
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.unigram import (
    build_unigram,
    normalize_as_albert,
    normalize_by_map,
    order_as_fairseq,
)
from model_store.encoder.tokenizers.word_piece import build_word_piece

ROBERTA = SpecialTokens(pad="<pad>", unk="<unk>", cls="<s>", sep="</s>", mask="<mask>")
_ALBERT = SpecialTokens(pad="<pad>", unk="<unk>")
_MOST_CAPITALS = 0.01
"""Of the entries of an uncased vocabulary: characters may become some, as TM is made of a sign."""


@dataclass(frozen=True, slots=True)
class StoredTokenizer:
    """What a preset stores of its tokenizer.

    Attributes:
        assets: where its files are.
        options: the fields of `tokenizer.json`.
        extra: what a preset says that we wrote.
        backbone: the fields of the backbone, which some must fit.
    """

    assets: Path
    options: dict[str, Any]
    extra: dict[str, Any]
    backbone: dict[str, Any]


def read_word_piece(stored: StoredTokenizer) -> SubwordTokenizer:
    """Read a WordPiece.

    KerasHub leaves accents on where it lowercases; BERT was trained without them, and its
    vocabularies hold none. So accents go wherever text is lowercased, as in every other BERT.

    Raises:
        ModelLoadError: a file is missing or broken.
        TypeError, ValueError: an option is none, or an entry stands twice.
    """
    options, extra = stored.options, stored.extra
    vocabulary = read_vocabulary(stored.assets / "vocabulary.txt")
    _require_once(vocabulary)
    return build_word_piece(
        vocabulary,
        lowercase=options.get("lowercase", False),
        strip_accents=extra.get("strip_accents", True if options.get("strip_accents") else None),
        split_cjk=extra.get("split_cjk", True),
        clean_up_spaces=bool(extra.get("clean_up_spaces")),
    )


def read_byte_level(stored: StoredTokenizer) -> SubwordTokenizer:
    """Read RoBERTa's byte-level BPE, which cuts words as GPT-2 does.

    KerasHub cuts them as Llama 3 does where it has no tensorflow-text.

    Raises:
        ModelLoadError: a file is missing or broken.
        ValueError: a special token is missing.
    """
    vocabulary, merges = read_merge_files(
        stored.assets / "vocabulary.json", stored.assets / "merges.txt"
    )
    return build_byte_level(
        vocabulary,
        merges,
        ROBERTA if "<unk>" in vocabulary else replace(ROBERTA, unk=None),
        add_prefix_space=bool(stored.options.get("add_prefix_space")),
        trim_offsets=bool(stored.extra.get("trim_offsets", True)),
        added_tokens=_add_mask("<mask>", stored),
    )


def read_xlm_roberta(stored: StoredTokenizer) -> SubwordTokenizer:
    """Read XLM-RoBERTa's Unigram, whose special tokens are counted as fairseq did.

    Raises:
        ModelLoadError: the file is missing or broken.
        ValueError: SentencePiece has other special tokens first.
    """
    model = read_sentencepiece(stored.assets / "vocabulary.spm")
    first = [piece for piece, _ in model.pieces[:3]]
    if first != ["<unk>", "<s>", "</s>"]:
        message = f"vocabulary.spm begins with {reprlib.repr(first)}, and not as XLM-RoBERTa's"
        raise ValueError(message)
    return build_unigram(
        order_as_fairseq(model.pieces, ROBERTA),
        ROBERTA,
        frame_as_roberta,
        unk_id=3,
        normalizer=normalize_by_map(model.character_map),
        add_prefix_space=bool(stored.extra.get("add_prefix_space", True)),
        added_tokens=_add_mask("<mask>", stored, model.added),
        clean_up_spaces=bool(stored.extra.get("clean_up_spaces")),
    )


def read_albert(stored: StoredTokenizer) -> SubwordTokenizer:
    """Read ALBERT's Unigram.

    KerasHub has SentencePiece read a text as it stands; ALBERT was trained on texts in lower case
    and without accents. They are made so where hardly an entry has a capital.

    Raises:
        ModelLoadError: the file is missing or broken.
        ValueError: a special token is missing.
    """
    model = read_sentencepiece(stored.assets / "vocabulary.spm")
    entries = [piece for piece, _ in model.pieces]
    special = {*_ALBERT.names, *(text for text, _ in model.added)}
    capitals = sum(entry != entry.lower() for entry in entries if entry not in special)
    is_uncased = capitals <= _MOST_CAPITALS * len(entries)
    return build_unigram(
        model.pieces,
        _ALBERT,
        frame_as_bert,
        unk_id=entries.index("<unk>"),
        normalizer=normalize_as_albert(
            model.character_map,
            lowercase=bool(stored.extra.get("lowercase", is_uncased)),
            keep_accents=bool(stored.extra.get("keep_accents", not is_uncased)),
        ),
        add_prefix_space=bool(stored.extra.get("add_prefix_space", True)),
        added_tokens=_add_mask("[MASK]", stored, model.added),
        clean_up_spaces=bool(stored.extra.get("clean_up_spaces")),
    )


def read_letters(stored: StoredTokenizer) -> SubwordTokenizer:
    """Read ESM's letters, each of which is a token wherever it stands.

    KerasHub takes them for the pieces of a WordPiece, and a protein for one unknown word.

    Raises:
        ModelLoadError: the file is missing or broken.
        ValueError: there are words among them, or a special token is missing.
    """
    entries = read_stripped_vocabulary(stored.assets / "vocabulary.txt")
    _require_once(entries)
    words = [entry for entry in entries if len(entry) > 1 and not entry.startswith("<")]
    if words:
        message = f"vocabulary.txt holds {reprlib.repr(words[0])}, which is no letter"
        raise ValueError(message)
    unknown = stored.options.get("oov_token", "<unk>")
    special = SpecialTokens("<pad>", unknown, "<cls>", "<eos>", "<mask>")
    return build_letters(
        entries, special, clean_up_spaces=bool(stored.extra.get("clean_up_spaces"))
    )


def _add_mask(
    mask: str, stored: StoredTokenizer, symbols: Iterable[tuple[str, bool]] = ()
) -> list[AddedToken]:
    """Return a mask that takes the space before it, and symbols of a vocabulary: text, special."""
    takes_space = bool(stored.extra.get("mask_takes_space", True))
    others = (
        AddedToken(text, normalized=False, special=special)
        for text, special in symbols
        if text != mask
    )
    return [AddedToken(mask, lstrip=takes_space, normalized=False, special=True), *others]


def _require_once(vocabulary: list[str]) -> None:
    """Check that no entry stands twice, which KerasHub's tokenizer does not take."""
    for before, after in pairwise(sorted(vocabulary)):
        if before == after:
            message = f"the entry {reprlib.repr(after)} stands twice in the vocabulary"
            raise ValueError(message)
