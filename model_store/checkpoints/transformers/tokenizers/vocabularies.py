"""The vocabularies of a directory: those of `tokenizer.json`, or else the family's own files."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import BPE

from model_store.checkpoints.files import is_there, read_stripped_vocabulary, read_text
from model_store.checkpoints.transformers.tokenizers.sentencepiece import (
    SentencePieceModel,
    read_sentencepiece,
)
from model_store.errors import ModelLoadError

TOKENIZER = "tokenizer.json"
_NO_WORDS = {"type": "WordLevel", "vocab": {}, "unk_token": ""}


@dataclass(frozen=True, slots=True)
class Stored:
    """What a directory stores of a tokenizer.

    Attributes:
        directory: where it is.
        content: that of `tokenizer.json`, or None where there is none.
        name: that of the class which reads it.
    """

    directory: Path
    content: dict[str, Any] | None
    name: str

    def read_entries(self) -> Mapping[str, int] | list[str]:
        """Return the entries of a WordPiece.

        Raises:
            ModelLoadError: the files are missing or broken.
            ValueError: they are of another kind.
        """
        if self.content is None:
            return read_stripped_vocabulary(self.directory / "vocab.txt")
        vocabulary = self._find_vocabulary("WordPiece")
        return vocabulary if isinstance(vocabulary, dict) else list(vocabulary)

    def read_letters(self) -> list[str]:
        """Return the lines of `vocab.txt`, which this kind alone goes by.

        Raises:
            ModelLoadError: the file is missing or broken.
        """
        return read_stripped_vocabulary(self.directory / "vocab.txt")

    def read_merges(self) -> tuple[Mapping[str, int], list[tuple[str, str]]]:
        """Return the entries of a BPE, and what they are merged of.

        Raises:
            ModelLoadError: the files are missing or broken.
            ValueError: they are of another kind.
        """
        if self.content is None:
            return self._read_merge_files()
        vocabulary = self._find_vocabulary("BPE")
        merges = self.content["model"].get("merges") or []
        pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in merges)
        return dict(vocabulary), [(first, second) for first, second in pairs]

    def read_pieces(self, *names: str) -> SentencePieceModel:
        """Return the entries of a Unigram, and how characters are mapped first.

        Args:
            *names: how SentencePiece's file may be called.

        Raises:
            ModelLoadError: the files are missing or broken.
            ValueError: they are of another kind.
        """
        if self.content is None:
            found = [name for name in names if is_there(self.directory / name)]
            if not found:
                raise ModelLoadError(self._say_missing(names[0]))
            return read_sentencepiece(self.directory / found[0])
        vocabulary = self._find_vocabulary("Unigram")
        pieces = tuple((str(piece), float(score)) for piece, score in vocabulary)
        return SentencePieceModel(pieces, (), find_map(self.content.get("normalizer")))

    def read_frame(self) -> Any:
        """Return what `tokenizer.json` puts around a text, or None where it says nothing."""
        return None if self.content is None else self._parse().post_processor

    def _read_merge_files(self) -> tuple[Mapping[str, int], list[tuple[str, str]]]:
        vocabulary, merges = self.directory / "vocab.json", self.directory / "merges.txt"
        for path in (vocabulary, merges):
            if not is_there(path):
                raise ModelLoadError(self._say_missing(path.name))
        return read_merge_files(vocabulary, merges)

    def _find_vocabulary(self, kind: str) -> Any:
        model = (self.content or {}).get("model")
        vocabulary = model.get("vocab") if isinstance(model, dict) else None
        if model is None or not vocabulary or model.get("type", kind) != kind:
            message = f"{TOKENIZER} holds no {kind} vocabulary, which {self.name} needs"
            raise ValueError(message)
        # The class hears no more of the file, but what is no tokenizer has no vocabulary.
        self._parse()
        return vocabulary

    def _parse(self) -> Tokenizer:
        """Return the tokenizer of the file without its entries, which may be many."""
        bare = {**(self.content or {}), "model": _NO_WORDS, "added_tokens": []}
        return Tokenizer.from_str(json.dumps(bare))

    def _say_missing(self, name: str) -> str:
        return f"The vocabulary of {self.name} is missing; add its {TOKENIZER}, or its {name}."


def read_merge_files(
    vocabulary: Path, merges: Path
) -> tuple[Mapping[str, int], list[tuple[str, str]]]:
    """Return the entries of a BPE, and what they are merged of.

    Raises:
        ModelLoadError: a file is missing, or no text.
        Exception: it is broken; the library raises what it likes.
    """
    for path in (vocabulary, merges):
        read_text(path)  # of a size, and no pipe
    entries, pairs = BPE.read_file(str(vocabulary), str(merges))
    return entries, pairs


def find_map(normalizer: Any) -> bytes | None:
    """Return the first character map of what a `tokenizer.json` does to a text."""
    steps = normalizer.get("normalizers", [normalizer]) if isinstance(normalizer, dict) else []
    for step in steps:
        if step.get("type") == "Precompiled" and step.get("precompiled_charsmap"):
            return base64.b64decode(step["precompiled_charsmap"])
    return None
