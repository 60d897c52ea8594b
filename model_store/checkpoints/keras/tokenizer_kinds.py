"""The kinds of KerasHub's tokenizers: how each is read, and its assets and options written.

What KerasHub has no option for stands beside the config, as said here, and KerasHub does not look
there. Whatever a kind cannot say is noticed by reading what was written.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from model_store.checkpoints.files import write_vocabulary
from model_store.checkpoints.keras.tokenizers import (
    ROBERTA,
    StoredTokenizer,
    read_albert,
    read_byte_level,
    read_letters,
    read_word_piece,
    read_xlm_roberta,
)
from model_store.checkpoints.transformers.tokenizers.sentencepiece import (
    SentencePieceModel,
    write_sentencepiece,
)
from model_store.checkpoints.transformers.tokenizers.vocabularies import find_map
from model_store.encoder.tokenizers.spelling import (
    ByteLevelSpelling,
    LetterSpelling,
    MetaspaceSpelling,
    WordPieceSpelling,
)
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

_Parts: TypeAlias = dict[str, Any]
"""The content of a `tokenizer.json` of the library."""

Described: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""KerasHub's options, and what our reader needs beside them."""


@dataclass(frozen=True, slots=True)
class TokenizerKind:
    """A kind of vocabulary.

    Attributes:
        model: what the library calls it.
        spelling: how its entries say where they stand in a word.
        read: makes a tokenizer of a preset's assets.
        write: writes the assets into a directory.
    """

    model: str
    spelling: type
    read: Callable[[StoredTokenizer], SubwordTokenizer]
    write: Callable[[SubwordTokenizer, _Parts, Path], Described]

    def write_assets(self, tokenizer: SubwordTokenizer, assets: Path) -> Described:
        """Write the assets of a tokenizer.

        Raises:
            ValueError: it is of another kind.
        """
        parts = json.loads(tokenizer.to_json(pretty=False))
        if parts["model"]["type"] != self.model:
            message = (
                f"The vocabulary is a {parts['model']['type']}, and KerasHub's of this family a "
                f"{self.model}; write the Transformers format instead."
            )
            raise ValueError(message)
        return self.write(tokenizer, parts, assets)


def _write_entries(tokenizer: SubwordTokenizer, assets: Path) -> dict[str, Any]:
    write_vocabulary(assets / "vocabulary.txt", tokenizer.vocabulary)
    strip_accents = tokenizer.strip_accents
    return {
        "vocabulary": None,
        "sequence_length": None,
        "lowercase": tokenizer.lowercase,
        # KerasHub's own tokenizer must drop what ours drops.
        "strip_accents": tokenizer.lowercase if strip_accents is None else strip_accents,
        "split": True,
        "suffix_indicator": "##",
        "oov_token": tokenizer.special_tokens.unk,
        "special_tokens": None,
        "special_tokens_in_strings": False,
    }


def _write_word_piece(tokenizer: SubwordTokenizer, _parts: _Parts, assets: Path) -> Described:
    return _write_entries(tokenizer, assets), {
        "strip_accents": tokenizer.strip_accents,
        "split_cjk": tokenizer.split_cjk,
        "clean_up_spaces": tokenizer.clean_up_spaces,
    }


def _write_letters(tokenizer: SubwordTokenizer, _parts: _Parts, assets: Path) -> Described:
    return _write_entries(tokenizer, assets), {"clean_up_spaces": tokenizer.clean_up_spaces}


def _write_byte_level(tokenizer: SubwordTokenizer, parts: _Parts, assets: Path) -> Described:
    entries = {entry: index for index, entry in enumerate(tokenizer.vocabulary) if entry}
    merges = [" ".join(pair) for pair in parts["model"]["merges"]]
    (assets / "vocabulary.json").write_text(json.dumps(entries), "utf-8")
    (assets / "merges.txt").write_text("".join(f"{merge}\n" for merge in merges), "utf-8")
    before, after = (parts[name] or {} for name in ("pre_tokenizer", "post_processor"))
    options = {"sequence_length": None, "add_prefix_space": before.get("add_prefix_space", False)}
    return options, {
        "trim_offsets": after.get("trim_offsets", True),
        "mask_takes_space": tokenizer.is_mask_stripping,
    }


def _write_fairseq_unigram(tokenizer: SubwordTokenizer, parts: _Parts, assets: Path) -> Described:
    first = [(str(name), 0.0) for name in (ROBERTA.unk, ROBERTA.cls, ROBERTA.sep)]
    return _write_pieces(tokenizer, parts, assets, [*first, *parts["model"]["vocab"][4:-1]])


def _write_albert(tokenizer: SubwordTokenizer, parts: _Parts, assets: Path) -> Described:
    options, extra = _write_pieces(tokenizer, parts, assets, parts["model"]["vocab"])
    steps = {step["type"] for step in (parts["normalizer"] or {}).get("normalizers", ())}
    cased = {"lowercase": "Lowercase" in steps, "keep_accents": "StripAccents" not in steps}
    return options, {**extra, **cased}


def _write_pieces(
    tokenizer: SubwordTokenizer, parts: _Parts, assets: Path, pieces: Sequence[tuple[str, float]]
) -> Described:
    entries = {piece for piece, _ in pieces}
    added = [(token["content"], token["special"]) for token in parts["added_tokens"]]
    model = SentencePieceModel(
        tuple((piece, np.float32(score).item()) for piece, score in pieces),
        tuple((text, special) for text, special in added if text in entries),
        find_map(parts["normalizer"]),
    )
    unknown = str(tokenizer.special_tokens.unk)
    write_sentencepiece(assets / "vocabulary.spm", model, unknown)
    scheme = json.dumps(parts["pre_tokenizer"])
    return {"proto": None, "sequence_length": None, "add_bos": False, "add_eos": False}, {
        "add_prefix_space": '"never"' not in scheme,
        "mask_takes_space": tokenizer.is_mask_stripping,
        "clean_up_spaces": tokenizer.clean_up_spaces,
    }


WORD_PIECE = TokenizerKind("WordPiece", WordPieceSpelling, read_word_piece, _write_word_piece)
BYTE_LEVEL = TokenizerKind("BPE", ByteLevelSpelling, read_byte_level, _write_byte_level)
FAIRSEQ_UNIGRAM = TokenizerKind(
    "Unigram", MetaspaceSpelling, read_xlm_roberta, _write_fairseq_unigram
)
ALBERT_UNIGRAM = TokenizerKind("Unigram", MetaspaceSpelling, read_albert, _write_albert)
LETTERS = TokenizerKind("WordLevel", LetterSpelling, read_letters, _write_letters)
