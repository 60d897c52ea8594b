"""Tokenizers that are made of SentencePiece's own file."""

from pathlib import Path
from typing import Any, ClassVar

from model_store.masked_lm.tokenizer import Tokenizer


class SentencePieceTokenizer(Tokenizer):
    """A Unigram, with KerasHub's arguments.

    Attributes:
        proto_file: what Transformers calls the file of the family's vocabulary.
    """

    proto_file: ClassVar[str]

    def __init__(self, proto: str | Path | bytes | None = None, **kwargs: Any) -> None:
        """Build from a vocabulary.

        Args:
            proto: SentencePiece's model, or the path of such a file.
            **kwargs: of a `Tokenizer`.

        Raises:
            ValueError: it is no model of SentencePiece's that can be used.
        """
        if proto is not None:
            kwargs["files"] = {self.proto_file: proto}
        super().__init__(**kwargs)
