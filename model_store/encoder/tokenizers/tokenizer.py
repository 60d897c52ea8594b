"""The tokenizer of a model, on the `tokenizers` library, whatever kind its vocabulary is.

Texts become ids and character offsets here, and ids become text again as Transformers' tokenizer
decodes them. A special token written in a text, the mask above all, is that one token.
"""

import json
import reprlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer

from model_store.encoder.tokenizers.place import Place
from model_store.encoder.tokenizers.readers import TargetReader, read_both_masks
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.spelling import ByteLevelSpelling, find_spelling

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


class SubwordTokenizer:
    """Cuts texts into the pieces of a vocabulary, and puts pieces together."""

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
        # Transformers does not clean up behind BPE, whose spaces are its own.
        self.clean_up_spaces = clean_up_spaces and type(tokenizer.model).__name__ != "BPE"
        self.special_tokens = special_tokens
        self.spelling = find_spelling(tokenizer, special_tokens.mask)
        self.pad_token_id = self._special_id(special_tokens.pad)
        self.mask_token_id = self._special_id(special_tokens.mask)
        if self.encode_batch([special_tokens.mask]) != [[self.mask_token_id]]:
            message = f"a text's {reprlib.repr(special_tokens.mask)} is not read as one token"
            raise ValueError(message)
        self.unk_token_id = self._find_unknown()
        self._reader, self._mask_alias = read_both_masks(tokenizer, special_tokens.mask)
        self._targets = TargetReader(tokenizer, self.spelling)
        self.places = self._targets.places

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
        """The ids of the special tokens."""
        return [self._special_id(name) for name in self.special_tokens.names if self._has(name)]

    @property
    def all_special_ids(self) -> set[int]:
        """The ids of those special tokens that there are, and of what else was added as special."""
        named = map(self._tokenizer.token_to_id, self.special_tokens.names)
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
        return [self.entry(index) for index in range(self.vocabulary_size)]

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

    @cached_property
    def is_mask_stripping(self) -> bool:
        """Whether the mask takes white space beside it, so that it is no part of the mask's own."""
        mask = self.special_tokens.mask
        added = self._tokenizer.get_added_tokens_decoder().values()
        return any(token.lstrip or token.rstrip for token in added if token.content == mask)

    @cached_property
    def unreadable_ids(self) -> list[int]:
        """The ids that say that the vocabulary cannot write a text: of no or half characters."""
        if not isinstance(self.spelling, ByteLevelSpelling):
            return [self.unk_token_id]
        entries = enumerate(self.vocabulary)
        return [index for index, entry in entries if self.spelling.is_broken(entry)]

    def to_json(self, *, pretty: bool = True) -> str:
        """Return the content of a `tokenizer.json`."""
        return str(self._tokenizer.to_str(pretty=pretty))

    def encode(
        self,
        text: str,
        text_pair: str | None = None,
        *,
        add_special_tokens: bool = True,
        own_mask: bool = False,
    ) -> Any:
        """Return the `tokenizers.Encoding` of a text, or of two; `list_ids` has its ids.

        Args:
            text: the text.
            text_pair: the second one, or None.
            add_special_tokens: whether what the model needs around a text is put there.
            own_mask: whether `[MASK]` is a mask only where the tokenizer itself spells it so.
        """
        reader = self._tokenizer if own_mask else self._reader
        return reader.encode(text, text_pair, add_special_tokens=add_special_tokens)

    def list_ids(self, encoding: Any) -> list[int]:
        """Return the ids of what was encoded; those of a mask are one, however it was written."""
        ids: list[int] = encoding.ids
        if self._mask_alias is None or self._mask_alias not in ids:
            return ids
        return [self.mask_token_id if index == self._mask_alias else index for index in ids]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, without what a model needs around it."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def target_ids(self, target: str, place: Place | None = None) -> list[int]:
        """Return the ids of a target: one, several, or none where it cannot be written.

        An entry is taken as it is written (`paris`, `##ing`), else as the tokenizer reads it
        (`Paris` in a lowercased vocabulary). What is partly unknown cannot be written, and what
        holds a mask among other pieces would be left partly open.

        Args:
            target: the target.
            place: where it is to stand, for vocabularies that spell a word in another way there;
                None reads it as a text of its own, as Transformers' pipeline does.
        """
        if place is None or self._targets.is_plain:
            token_id = self._tokenizer.token_to_id(target)
            if token_id is not None and target:
                return [int(token_id)]
            ids: list[int] = self._tokenizer.encode(target, add_special_tokens=False).ids
        else:
            ids = self._targets.read(target, place)
        is_open = len(ids) > 1 and self.mask_token_id in ids
        return [] if is_open or self.unk_token_id in ids else ids

    def target_id(self, target: str) -> int | None:
        """Return the id of a target, or None where it is no single entry."""
        ids = self.target_ids(target)
        return ids[0] if len(ids) == 1 else None

    def entry(self, token: int) -> str:
        """Return the vocabulary entry of an id, empty where the vocabulary ends before it."""
        return self._tokenizer.id_to_token(token) or ""

    def token_str(self, token: int) -> str:
        """Return an id as people read it, and as Transformers' pipeline shows it.

        That is the entry of a WordPiece; of others the text: with the space that it begins with
        where the vocabulary is of bytes, and U+FFFD for a part of a character.
        """
        if self._targets.is_plain:
            return self.entry(token)
        return self.decode([token], skip_special_tokens=False)

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """Return the text of ids, as Transformers' tokenizer writes it."""
        text: str = self._tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)
        if self.clean_up_spaces:
            for spaced, joined in _CLEAN_UPS:
                text = text.replace(spaced, joined)
        return text

    def list_parts(self) -> list[Any]:
        """Return what tells a tokenizer from another; empty texts show what is put around them."""
        content = json.loads(self.to_json(pretty=False))
        names = ("model", "normalizer", "pre_tokenizer", "decoder", "added_tokens")
        trims = (content["post_processor"] or {}).get("trim_offsets")
        around = (self.encode(""), self.encode("", ""))
        parts = [content[name] for name in names]
        return [*parts, trims, *((each.ids, each.type_ids) for each in around)]

    def _special_id(self, token: str) -> int:
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            message = f"the special token {reprlib.repr(token)} is missing from the vocabulary"
            raise ValueError(message)
        return int(token_id)

    def _find_unknown(self) -> int:
        """Return the id of what cannot be written, or one that no text has."""
        unknown = self.special_tokens.unk
        if unknown is None:
            return -1
        if isinstance(self.spelling, ByteLevelSpelling) and not self._has(unknown):
            return -1
        return self._special_id(unknown)

    def _has(self, token: str) -> bool:
        return self._tokenizer.token_to_id(token) is not None
