"""What a tokenizer layer knows of its vocabulary, with KerasHub's names."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import keras
from tokenizers import Tokenizer

from model_store.checkpoints import read_vocabulary
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece, is_plain

SUFFIX = "##"
"""What begins an entry that continues a word."""


class VocabularyLayer(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that has the entries of a vocabulary, and what cuts texts into them."""

    config_file: str
    sequence_length: int | None
    special_tokens_in_strings: bool
    oov_token: str
    _more_special_tokens: tuple[str, ...]
    _options: dict[str, bool | None]
    _wordpiece: SubwordTokenizer | None = None

    def set_vocabulary(self, vocabulary: Sequence[str] | str | Path | None) -> None:
        """Take other entries, or the name of a file with one a line, or None for none yet.

        Raises:
            ValueError: a special token is missing, or an entry stands twice.
        """
        if vocabulary is None:
            self._wordpiece = None
            return
        if isinstance(vocabulary, str | Path):
            vocabulary = read_vocabulary(Path(vocabulary))
        options: Any = self._options
        special = _spell(self.oov_token)
        self._adopt(build_word_piece(list(vocabulary), special_tokens=special, **options))

    def _adopt(self, wordpiece: SubwordTokenizer) -> None:
        """Take a tokenizer. What cuts here is a copy: servers use the same, with other options."""
        self._wordpiece = wordpiece
        self._rust = Tokenizer.from_str(wordpiece.to_json(pretty=False))
        self._rust.add_special_tokens(list(self._more_special_tokens))
        self._rust.encode_special_tokens = not self.special_tokens_in_strings
        spelled = wordpiece.special_tokens
        self.oov_token = str(spelled.unk)
        self.cls_token = self.start_token = spelled.cls
        self.sep_token = self.end_token = spelled.sep
        self.pad_token, self.mask_token = spelled.pad, spelled.mask
        self.cls_token_id = self.start_token_id = wordpiece.cls_token_id
        self.sep_token_id = self.end_token_id = wordpiece.sep_token_id
        self.pad_token_id, self.mask_token_id = wordpiece.pad_token_id, wordpiece.mask_token_id
        self.oov_token_id = wordpiece.unk_token_id
        self._options = {
            "lowercase": wordpiece.lowercase,
            "strip_accents": wordpiece.strip_accents,
            "split_cjk": wordpiece.split_cjk,
        }

    @property
    def wordpiece(self) -> SubwordTokenizer:
        """What cuts the texts; a ValueError where there is no vocabulary yet."""
        if self._wordpiece is None:
            message = "The tokenizer has no vocabulary; give one, or use from_preset."
            raise ValueError(message)
        return self._wordpiece

    @property
    def vocabulary(self) -> list[str] | None:
        """The entries, the id of each its index; None where there are none yet."""
        return None if self._wordpiece is None else self._wordpiece.vocabulary

    @property
    def lowercase(self) -> bool:
        """Whether texts are lowercased."""
        return bool(self._options["lowercase"])

    @property
    def strip_accents(self) -> bool | None:
        """Whether accents are dropped; None drops them where texts are lowercased."""
        return self._options["strip_accents"]

    @property
    def split_on_cjk(self) -> bool:
        """Whether every CJK character is a word."""
        return bool(self._options["split_cjk"])

    @property
    def special_tokens(self) -> list[str]:
        """The spelling of `[CLS]`, `[SEP]`, `[PAD]` and `[MASK]`."""
        return [self.cls_token, self.sep_token, self.pad_token, self.mask_token]

    @property
    def special_token_ids(self) -> list[int]:
        """The ids of `special_tokens`."""
        return [self.cls_token_id, self.sep_token_id, self.pad_token_id, self.mask_token_id]

    def get_vocabulary(self) -> list[str]:
        """Return the entries, the id of each its index."""
        entries: list[str] = self.wordpiece.vocabulary
        return entries

    def vocabulary_size(self) -> int:
        """Return how many entries there are."""
        size: int = self.wordpiece.vocabulary_size
        return size

    def id_to_token(self, id: int) -> str:  # noqa: A002  # KerasHub's name
        """Return the entry of an id.

        Raises:
            ValueError: there is no such id.
        """
        if not 0 <= id < self.vocabulary_size():
            message = f"id is {id}; give a number from 0 to {self.vocabulary_size() - 1}."
            raise ValueError(message)
        entry: str = self.wordpiece.token_str(int(id))
        return entry

    def token_to_id(self, token: str) -> int:
        """Return the id of an entry.

        Raises:
            ValueError: there is no such entry.
        """
        token_id = self._rust.token_to_id(token) if self.wordpiece else None
        if token_id is None:
            message = f"{token!r} is no entry of the vocabulary; give one as it is written there."
            raise ValueError(message)
        return int(token_id)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, the vocabulary included."""
        config = {
            **super().get_config(),
            "config_file": self.config_file,
            "vocabulary": None,
            "sequence_length": self.sequence_length,
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "split": True,
            "split_on_cjk": self.split_on_cjk,
            "suffix_indicator": SUFFIX,
            "oov_token": self.oov_token,
            "special_tokens": list(self._more_special_tokens) or None,
            "special_tokens_in_strings": self.special_tokens_in_strings,
        }
        if self._wordpiece is None:
            return config
        if is_plain(self._wordpiece) and self._wordpiece.special_tokens == _spell(self.oov_token):
            return config | {"vocabulary": self.vocabulary}
        return config | {"wordpiece": _describe(self._wordpiece)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the same tokenizer.

        Raises:
            ValueError: the vocabulary is the name of a file: a model that was saved by somebody
                else must not say which files are read.
        """
        if isinstance(config.get("vocabulary"), str):
            message = "The config names a file as its vocabulary; give the entries themselves."
            raise ValueError(message)  # noqa: TRY004  # the file is wrong, not the call
        return cls(**config)


def _spell(oov_token: str) -> SpecialTokens:
    return SpecialTokens(unk=oov_token)


def _describe(wordpiece: SubwordTokenizer) -> dict[str, Any]:
    return {
        "tokenizer_json": wordpiece.to_json(pretty=False),
        "special_tokens": asdict(wordpiece.special_tokens),
        "clean_up_spaces": wordpiece.clean_up_spaces,
    }


def restore(described: dict[str, Any]) -> SubwordTokenizer:
    """Return the tokenizer that a config describes."""
    return SubwordTokenizer(
        Tokenizer.from_str(described["tokenizer_json"]),
        SpecialTokens(**described["special_tokens"]),
        clean_up_spaces=described["clean_up_spaces"],
    )
