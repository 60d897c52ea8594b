"""The tokenizer layer of those families that have BERT's vocabularies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_store.checkpoints import read_vocabulary
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece, is_plain
from model_store.masked_lm.tokenizer import Tokenizer

SUFFIX = "##"
"""What begins an entry that continues a word."""


class WordPieceTokenizer(Tokenizer):
    """WordPiece with BERT's normalisation.

    Attributes:
        lowercase, strip_accents, split_on_cjk: the arguments of these names.
    """

    _options: dict[str, bool | None]

    def __init__(
        self,
        vocabulary: Sequence[str] | str | Path | None = None,
        lowercase: bool = False,  # noqa: FBT001, FBT002  # KerasHub's signature
        *,
        strip_accents: bool | None = None,
        split: bool = True,
        split_on_cjk: bool = True,
        suffix_indicator: str = SUFFIX,
        oov_token: str = "[UNK]",  # noqa: S107  # no password
        subwords: SubwordTokenizer | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Build from a vocabulary.

        Args:
            vocabulary: the entries, or the name of a file with one a line.
            lowercase: whether texts are lowercased.
            strip_accents: whether accents are dropped; None drops them where texts are lowercased,
                for a lowercased vocabulary of BERT's holds none.
            split: whether texts are split at blanks and punctuation; BERT's always are.
            split_on_cjk: whether every CJK character is a word.
            suffix_indicator: what begins an entry that continues a word; BERT's is `##`.
            oov_token: what stands for a word that the vocabulary cannot spell.
            subwords: a tokenizer that a vocabulary cannot describe, or its description, instead
                of all of the above.
            **kwargs: of a `Tokenizer`.

        Raises:
            ValueError: a special token is missing, an entry stands twice, or an argument asks for
                what no BERT does.
        """
        if not split or suffix_indicator != SUFFIX:
            message = (
                f"BERT splits texts and continues words with {SUFFIX}; "
                "leave split and suffix_indicator out."
            )
            raise ValueError(message)
        self._options = {
            "lowercase": lowercase,
            "strip_accents": strip_accents,
            "split_cjk": split_on_cjk,
        }
        self.oov_token = oov_token
        super().__init__(subwords=subwords, **kwargs)
        if subwords is None:
            self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Sequence[str] | str | Path | None) -> None:
        """Take other entries, or the name of a file with one a line, or None for none yet.

        Raises:
            ValueError: a special token is missing, or an entry stands twice.
        """
        if vocabulary is None:
            self._subwords = None
            return
        if isinstance(vocabulary, str | Path):
            vocabulary = read_vocabulary(Path(vocabulary))
        options: Any = self._options
        special = SpecialTokens(unk=self.oov_token)
        self._adopt(build_word_piece(list(vocabulary), special_tokens=special, **options))

    def _adopt(self, subwords: SubwordTokenizer) -> None:
        super()._adopt(subwords)
        self.oov_token = str(subwords.special_tokens.unk)
        self._options = {
            "lowercase": subwords.lowercase,
            "strip_accents": subwords.strip_accents,
            "split_cjk": subwords.split_cjk,
        }

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

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, the vocabulary included."""
        config = {
            **super().get_config(),
            "vocabulary": None,
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "split": True,
            "split_on_cjk": self.split_on_cjk,
            "suffix_indicator": SUFFIX,
            "oov_token": self.oov_token,
        }
        subwords = self._subwords
        if subwords is None or not is_plain(subwords):
            return config
        if subwords.special_tokens != SpecialTokens(unk=self.oov_token):
            return config
        del config["subwords"]
        return config | {"vocabulary": self.vocabulary}

    def _join(self, token_ids: Sequence[int]) -> str:
        words: list[str] = []
        for token_id in token_ids:
            token = self.id_to_token(token_id)
            if words and len(token) > len(SUFFIX) and token.startswith(SUFFIX):
                words[-1] += token.removeprefix(SUFFIX)
            else:
                words.append(token)
        return " ".join(words)
