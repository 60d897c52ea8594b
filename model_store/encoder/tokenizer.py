"""BERT's WordPiece tokenizer, on the `tokenizers` library.

Texts become ids and character offsets here, and ids become text again as Transformers' BERT
tokenizer decodes them. A special token written in a text, `[MASK]` above all, is that one token.
"""

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Self

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    normalizers,
    pre_tokenizers,
    processors,
)
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
            ValueError: a special token is not in the vocabulary, or texts cannot hold the mask.
        """
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = False
        self._tokenizer = tokenizer
        self.clean_up_spaces = clean_up_spaces
        self.special_tokens = special_tokens
        self.pad_token_id = self._special_id(special_tokens.pad)
        self.unk_token_id = self._special_id(special_tokens.unk)
        self.mask_token_id = self._special_id(special_tokens.mask)
        if self.encode_batch([special_tokens.mask]) != [[self.mask_token_id]]:
            message = f"a text's {reprlib.repr(special_tokens.mask)} is not read as one token"
            raise ValueError(message)

    @classmethod
    def from_vocabulary(
        cls,
        vocabulary: Sequence[str] | Mapping[str, int],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_cjk: bool = True,
        special_tokens: SpecialTokens | None = None,
        added_tokens: Sequence[AddedToken] = (),
        clean_up_spaces: bool = False,
    ) -> Self:
        """Build from entries.

        Args:
            vocabulary: the entries, the id of each its index, or by its id; a continuation starts
                with `##`. Of an entry that stands twice the last index counts, as in every BERT.
            lowercase: whether text is lowercased.
            strip_accents: whether accents are dropped; None does what `lowercase` says.
            split_cjk: whether every CJK character is a word.
            special_tokens: their spellings.
            added_tokens: what is never cut beside the special tokens, or one of these with options
                of its own. What is no entry gets an id behind the vocabulary.
            clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.

        Raises:
            ValueError: a special token is missing.
        """
        special = special_tokens or SpecialTokens()
        ids = (
            dict(vocabulary)
            if isinstance(vocabulary, Mapping)
            else {entry: index for index, entry in enumerate(vocabulary)}
        )
        added = {token.content for token in added_tokens}
        missing = [name for name in astuple(special) if name not in ids and name not in added]
        if missing:
            message = f"the special token {reprlib.repr(missing[0])} is missing from the vocabulary"
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
        tokenizer.add_tokens(list(added_tokens))
        tokenizer.add_special_tokens([name for name in astuple(special) if name not in added])
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{special.cls} $A {special.sep}",
            pair=f"{special.cls} $A {special.sep} $B:1 {special.sep}:1",
            special_tokens=[
                (name, tokenizer.token_to_id(name)) for name in (special.cls, special.sep)
            ],
        )
        return cls(tokenizer, special, clean_up_spaces=clean_up_spaces)

    @property
    def cls_token_id(self) -> int:
        """The id that starts a sequence; a ValueError where the vocabulary has none."""
        return self._special_id(self.special_tokens.cls)

    @property
    def sep_token_id(self) -> int:
        """The id that ends a segment; a ValueError where the vocabulary has none."""
        return self._special_id(self.special_tokens.sep)

    @property
    def special_token_ids(self) -> list[int]:
        """The ids of the five special tokens."""
        return [
            self.pad_token_id,
            self.unk_token_id,
            self.cls_token_id,
            self.sep_token_id,
            self.mask_token_id,
        ]

    @property
    def all_special_ids(self) -> set[int]:
        """The ids of those of the five that there are, and of what else was added as special."""
        named = map(self._tokenizer.token_to_id, astuple(self.special_tokens))
        added = self._tokenizer.get_added_tokens_decoder()
        return {token_id for token_id in named if token_id is not None} | {
            token_id for token_id, token in added.items() if token.special
        }

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest id of an entry; an empty line is none, no text has it."""
        return max(index for entry, index in self._tokenizer.get_vocab().items() if entry) + 1

    @property
    def vocabulary(self) -> list[str]:
        """The entries by id, empty where an id is skipped."""
        return [self.token_str(index) for index in range(self.vocabulary_size)]

    @property
    def lowercase(self) -> bool:
        """Whether BERT's own normalisation lowercases text; False where there is another."""
        return bool(getattr(self._tokenizer.normalizer, "lowercase", False))

    @property
    def strip_accents(self) -> bool | None:
        """Whether accents are dropped; None does what `lowercase` says."""
        strip_accents: bool | None = getattr(self._tokenizer.normalizer, "strip_accents", None)
        return strip_accents

    @property
    def split_cjk(self) -> bool:
        """Whether every CJK character is a word."""
        return bool(getattr(self._tokenizer.normalizer, "handle_chinese_chars", False))

    @property
    def is_plain(self) -> bool:
        """Whether `from_vocabulary` could build it: its entries and options say all of it.

        A `tokenizer.json` can hold any tokenizer, and then only another one can say the same.
        """
        try:
            plain = BertTokenizer.from_vocabulary(
                self.vocabulary,
                lowercase=self.lowercase,
                strip_accents=self.strip_accents,
                split_cjk=self.split_cjk,
                special_tokens=self.special_tokens,
            )
        except ValueError:
            return False
        return _list_parts(self) == _list_parts(plain)

    def to_json(self, *, pretty: bool = True) -> str:
        """Return the content of a `tokenizer.json`."""
        return str(self._tokenizer.to_str(pretty=pretty))

    def encode(
        self, text: str, text_pair: str | None = None, *, add_special_tokens: bool = True
    ) -> Any:
        """Return the `tokenizers.Encoding` of a text, or of two.

        Args:
            text: the text.
            text_pair: the second one, or None.
            add_special_tokens: whether `[CLS]` and `[SEP]` are put around each.
        """
        return self._tokenizer.encode(text, text_pair, add_special_tokens=add_special_tokens)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, without `[CLS]` and `[SEP]`."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def target_ids(self, target: str) -> list[int]:
        """Return the ids of a target: one, several, or none where it cannot be written.

        An entry is taken as it is written (`paris`, `##ing`), else as the tokenizer reads it
        (`Paris` in a lowercased vocabulary). What is partly unknown cannot be written, and what
        holds a mask among other pieces would be left partly open.
        """
        token_id = self._tokenizer.token_to_id(target)
        if token_id is not None and target:
            return [int(token_id)]
        ids: list[int] = self._tokenizer.encode(target, add_special_tokens=False).ids
        is_open = len(ids) > 1 and self.mask_token_id in ids
        return [] if is_open or self.unk_token_id in ids else ids

    def target_id(self, target: str) -> int | None:
        """Return the id of a target, or None where it is no single entry."""
        ids = self.target_ids(target)
        return ids[0] if len(ids) == 1 else None

    def token_str(self, token: int) -> str:
        """Return the vocabulary entry of an id, empty where the vocabulary ends before it."""
        return self._tokenizer.id_to_token(token) or ""

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """Return the text of ids, as Transformers' tokenizer writes it."""
        text: str = self._tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)
        if self.clean_up_spaces:
            for spaced, joined in _CLEAN_UPS:
                text = text.replace(spaced, joined)
        return text

    def _special_id(self, token: str) -> int:
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            message = f"the special token {reprlib.repr(token)} is missing from the vocabulary"
            raise ValueError(message)
        return int(token_id)


def _list_parts(tokenizer: BertTokenizer) -> list[Any]:
    """Return what tells a tokenizer from another; an empty text shows what is put around each."""
    content = json.loads(tokenizer.to_json())
    names = ("model", "normalizer", "pre_tokenizer", "decoder", "added_tokens")
    return [*(content[name] for name in names), tokenizer.encode("").ids]
