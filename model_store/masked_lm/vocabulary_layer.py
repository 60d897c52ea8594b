"""What a tokenizer layer knows of its vocabulary, with KerasHub's names."""

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import keras
from tokenizers import Tokenizer

from model_store.checkpoints import read_tokenizer
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError

_PLAIN_NAME = re.compile(r"\w[\w.-]*")
_FROM_FILES = ("files", "merges", "proto")
"""Arguments of the families' constructors that may name files; no config has them."""


class VocabularyLayer(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that has the entries of a vocabulary, and what cuts texts into them."""

    config_file: str
    sequence_length: int | None
    special_tokens_in_strings: bool
    _more_special_tokens: tuple[str, ...]
    _subwords: SubwordTokenizer | None = None

    def _adopt(self, subwords: SubwordTokenizer) -> None:
        """Take a tokenizer. What cuts here is a copy: servers use the same, with other options."""
        self._subwords = subwords
        self._rust = Tokenizer.from_str(subwords.to_json(pretty=False))
        self._rust.add_special_tokens(list(self._more_special_tokens))
        self._rust.encode_special_tokens = not self.special_tokens_in_strings
        spelled = subwords.special_tokens
        self.oov_token = spelled.unk
        self.cls_token = self.start_token = spelled.cls
        self.sep_token = self.end_token = spelled.sep
        self.pad_token, self.mask_token = spelled.pad, spelled.mask
        self.cls_token_id = self.start_token_id = subwords.cls_token_id
        self.sep_token_id = self.end_token_id = subwords.sep_token_id
        self.pad_token_id, self.mask_token_id = subwords.pad_token_id, subwords.mask_token_id
        self.oov_token_id = subwords.unk_token_id

    @property
    def subwords(self) -> SubwordTokenizer:
        """What cuts the texts; a ValueError where there is no vocabulary yet."""
        if self._subwords is None:
            message = "The tokenizer has no vocabulary; give one, or use from_preset."
            raise ValueError(message)
        return self._subwords

    @property
    def vocabulary(self) -> list[str] | None:
        """The entries, the id of each its index; None where there are none yet."""
        return None if self._subwords is None else self._subwords.vocabulary

    @property
    def special_tokens(self) -> list[str]:
        """The spelling of what begins, ends and fills a row, and of the mask."""
        return [self.cls_token, self.sep_token, self.pad_token, self.mask_token]

    @property
    def special_token_ids(self) -> list[int]:
        """The ids of `special_tokens`."""
        return [self.cls_token_id, self.sep_token_id, self.pad_token_id, self.mask_token_id]

    def get_vocabulary(self) -> list[str]:
        """Return the entries, the id of each its index."""
        entries: list[str] = self.subwords.vocabulary
        return entries

    def vocabulary_size(self) -> int:
        """Return how many entries there are."""
        size: int = self.subwords.vocabulary_size
        return size

    def id_to_token(self, id: int) -> str:  # noqa: A002  # KerasHub's name
        """Return the entry of an id.

        Raises:
            ValueError: there is no such id.
        """
        if not 0 <= id < self.vocabulary_size():
            message = f"id is {id}; give a number from 0 to {self.vocabulary_size() - 1}."
            raise ValueError(message)
        entry: str = self.subwords.token_str(int(id))
        return entry

    def token_to_id(self, token: str) -> int:
        """Return the id of an entry.

        Raises:
            ValueError: there is no such entry.
        """
        token_id = self._rust.token_to_id(token) if self.subwords else None
        if token_id is None:
            message = f"{token!r} is no entry of the vocabulary; give one as it is written there."
            raise ValueError(message)
        return int(token_id)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, the vocabulary included."""
        config = {
            **super().get_config(),
            "config_file": self.config_file,
            "sequence_length": self.sequence_length,
            "special_tokens": list(self._more_special_tokens) or None,
            "special_tokens_in_strings": self.special_tokens_in_strings,
        }
        return (
            config if self._subwords is None else config | {"subwords": _describe(self._subwords)}
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the same tokenizer.

        Raises:
            ValueError: it is not as `get_config` returns it: a model that was saved by somebody
                else must not say which files are read, or written for a while.
        """
        of_files = [name for name in _FROM_FILES if config.get(name) is not None]
        if of_files or not isinstance(config.get("vocabulary"), list | None):
            message = "The config names files; give what get_config returns, which holds them."
            raise ValueError(message)
        return cls(**config)


def _describe(subwords: SubwordTokenizer) -> dict[str, Any]:
    return {
        "tokenizer_json": subwords.to_json(pretty=False),
        "special_tokens": asdict(subwords.special_tokens),
        "clean_up_spaces": subwords.clean_up_spaces,
    }


def restore(described: dict[str, Any]) -> SubwordTokenizer:
    """Return the tokenizer that a config describes."""
    return SubwordTokenizer(
        Tokenizer.from_str(described["tokenizer_json"]),
        SpecialTokens(**described["special_tokens"]),
        clean_up_spaces=described["clean_up_spaces"],
    )


def read_files(transformers_class: str, files: Mapping[str, Any]) -> SubwordTokenizer:
    """Return the tokenizer of a family's own files, read as Transformers reads them.

    Args:
        transformers_class: the class of Transformers whose rules are the family's.
        files: by their plain names: bytes, lines, a mapping, or the path of such a file.

    Raises:
        ValueError: they cannot be used.
    """
    if not all(_PLAIN_NAME.fullmatch(name) for name in files):
        message = f"{reprlib.repr(list(files))} name folders; give plain names of files."
        raise ValueError(message)
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        for name, content in {
            **files,
            "tokenizer_config.json": {"tokenizer_class": transformers_class},
        }.items():
            (directory / name).write_bytes(_read_content(content))
        try:
            return read_tokenizer(directory)
        except ModelLoadError as error:
            message = f"The vocabulary cannot be used: {error}"
            raise ValueError(message) from error


def _read_content(content: Any) -> bytes:
    """Return what is to be in a file.

    Raises:
        ValueError: it is the path of no file.
    """
    if isinstance(content, bytes):
        return content
    if isinstance(content, Mapping):
        return json.dumps(dict(content)).encode()
    if not isinstance(content, str | Path):
        return "\n".join(content).encode()
    try:
        return Path(content).read_bytes()
    except OSError as error:
        message = f"{reprlib.repr(str(content))} cannot be read; give the path of a vocabulary."
        raise ValueError(message) from error
