"""BERT's WordPiece tokenizer, on the `tokenizers` library.

Texts become ids and character offsets here, and ids become text again as Transformers' BERT
tokenizer decodes them. A special token written in a text, `[MASK]` above all, is that one token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

_CLEAN_UPS = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)
"""What Transformers replaces, in this order, where `clean_up_tokenization_spaces` is set."""


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The five tokens that mean something to the model."""

    pad: str = "[PAD]"
    unk: str = "[UNK]"
    cls: str = "[CLS]"
    sep: str = "[SEP]"
    mask: str = "[MASK]"


class BertTokenizer:
    """WordPiece with BERT's normalisation."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        special_tokens: SpecialTokens,
        *,
        clean_up_spaces: bool = False,
    ) -> None:
        """Wrap a `tokenizers` tokenizer.

        Raises:
            ValueError: a special token is not in the vocabulary.
        """
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = False
        self._tokenizer = tokenizer
        self._clean_up_spaces = clean_up_spaces
        self.special_tokens = special_tokens
        self.pad_token_id = self._special_id(special_tokens.pad)
        self.unk_token_id = self._special_id(special_tokens.unk)
        self.mask_token_id = self._special_id(special_tokens.mask)

    @classmethod
    def from_vocabulary(
        cls,
        vocabulary: Sequence[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_cjk: bool = True,
        special_tokens: SpecialTokens | None = None,
        clean_up_spaces: bool = False,
    ) -> Self:
        """Build from a list of entries, the id of each its index.

        Args:
            vocabulary: the entries; a continuation starts with `##`.
            lowercase: whether text is lowercased.
            strip_accents: whether accents are dropped; None does what `lowercase` says.
            split_cjk: whether every CJK character is a word.
            special_tokens: their spellings.
            clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.

        Raises:
            ValueError: an entry stands twice, or a special token is missing.
        """
        special = special_tokens or SpecialTokens()
        ids = {entry: index for index, entry in enumerate(vocabulary)}
        if len(ids) != len(vocabulary):
            twice = next(a for a, b in pairwise(sorted(vocabulary)) if a == b)
            message = f"the entry {twice!r} stands twice in the vocabulary"
            raise ValueError(message)
        tokenizer = Tokenizer(WordPiece(ids, unk_token=special.unk))
        tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=split_cjk,
            strip_accents=strip_accents,
            lowercase=lowercase,
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece(prefix="##")
        tokenizer.add_special_tokens(
            [special.pad, special.unk, special.cls, special.sep, special.mask]
        )
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{special.cls} $A {special.sep}",
            special_tokens=[(name, ids.get(name, 0)) for name in (special.cls, special.sep)],
        )
        if tokenizer.get_vocab_size() != len(vocabulary):
            message = "a special token is missing from the vocabulary"
            raise ValueError(message)
        return cls(tokenizer, special, clean_up_spaces=clean_up_spaces)

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest id."""
        return max(self._tokenizer.get_vocab().values()) + 1

    def encode(self, text: str) -> Any:
        """Return the `tokenizers.Encoding` of a text between `[CLS]` and `[SEP]`."""
        return self._tokenizer.encode(text)

    def target_id(self, target: str) -> int | None:
        """Return the id of a target, or None where it is no single entry.

        An entry is taken as it is written (`paris`, `##ing`), else as the tokenizer reads it
        (`Paris` in a lowercased vocabulary).
        """
        token_id = self._tokenizer.token_to_id(target)
        if token_id is not None:
            return int(token_id)
        ids = self._tokenizer.encode(target, add_special_tokens=False).ids
        return int(ids[0]) if len(ids) == 1 and ids[0] != self.unk_token_id else None

    def token_str(self, token: int) -> str:
        """Return the vocabulary entry of an id, empty where the vocabulary ends before it."""
        return self._tokenizer.id_to_token(token) or ""

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """Return the text of ids, as Transformers' tokenizer writes it."""
        text: str = self._tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)
        if self._clean_up_spaces:
            for spaced, joined in _CLEAN_UPS:
                text = text.replace(spaced, joined)
        return text

    def _special_id(self, token: str) -> int:
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            message = f"the special token {token} is missing from the vocabulary"
            raise ValueError(message)
        return int(token_id)
