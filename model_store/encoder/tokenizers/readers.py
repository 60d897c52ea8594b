"""What else reads texts with a tokenizer's vocabulary: other masks, and words in their places."""

import json
from functools import cached_property
from typing import Any

from tokenizers import AddedToken, Tokenizer, pre_tokenizers

from model_store.encoder.tokenizers.place import Place
from model_store.encoder.tokenizers.spelling import (
    ByteLevelSpelling,
    SpaceSpelling,
    Spelling,
    describe_part,
)

MASK = "[MASK]"
"""How everybody may write a mask, whatever the tokenizer's own is."""


_OPTIONS = ("single_word", "lstrip", "rstrip", "normalized")
"""What decides where a text holds an added token."""


def read_both_masks(tokenizer: Tokenizer, mask: str) -> tuple[Tokenizer, int | None]:
    """Return a tokenizer that reads `[MASK]` as one token as well, and the id of that.

    Where the mask is so spelled it is the tokenizer itself, and None.
    """
    if mask == MASK:
        return tokenizer, None
    reader = _copy(tokenizer)
    own = {t.content: t for t in tokenizer.get_added_tokens_decoder().values()}
    token = own.get(mask, AddedToken(mask, normalized=False))
    options = {name: getattr(token, name) for name in _OPTIONS}
    reader.add_tokens([AddedToken(MASK, special=True, **options)])
    return reader, reader.token_to_id(MASK)


class TargetReader:
    """Reads what is proposed for a mask as it would be read in the mask's place."""

    def __init__(self, tokenizer: Tokenizer, spelling: Spelling) -> None:
        """Read with the parts of a tokenizer."""
        self._tokenizer = tokenizer
        self._spelling = spelling
        self.is_plain = not isinstance(spelling, SpaceSpelling)
        self.places = (Place.WORD,) if self.is_plain else tuple(Place)
        """Those in which a word may be spelled in ways of their own."""

    def read(self, target: str, place: Place) -> list[int]:
        """Return the ids of a target.

        A vocabulary that writes the space before a word into it has two entries for most words. A
        target that starts with a space begins a word, wherever it stands.
        """
        token_id = self._tokenizer.token_to_id(target)
        if token_id is not None and self._spelling.is_marked(target):
            return [int(token_id)]
        if not target.strip():
            return self._encode(self._tokenizer, target)
        if isinstance(self._spelling, ByteLevelSpelling):
            return self._read_bytes(target, place, self._spelling)
        if place is not Place.REST or target[0].isspace():
            return self._encode(self._tokenizer, target)
        head, *rest = target.split(maxsplit=1)
        ids = self._encode(self._inner, head)
        return ids + self._encode(self._tokenizer, rest[0]) if rest else ids

    def _read_bytes(self, target: str, place: Place, spelling: ByteLevelSpelling) -> list[int]:
        if place is Place.START and not target[0].isspace():
            return self._encode(self._tokenizer, target)
        begins_word = target[0].isspace() or (place is Place.WORD and spelling.owns_space)
        return self._encode(self._inner, f" {target.lstrip()}" if begins_word else target)

    @cached_property
    def _inner(self) -> Tokenizer:
        """The same, but that a text's first word is not taken for one after a space."""
        inner = _copy(self._tokenizer)
        part = self._tokenizer.pre_tokenizer
        if part is not None:
            stored = _drop_prefix(json.loads(describe_part(part)))
            made = pre_tokenizers.Sequence([])
            made.__setstate__(_write_sequence(stored))
            inner.pre_tokenizer = made
        return inner

    @staticmethod
    def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _write_sequence(stored: dict[str, Any]) -> bytes:
    parts = stored["pretokenizers"] if stored["type"] == "Sequence" else [stored]
    return json.dumps({"type": "Sequence", "pretokenizers": parts}).encode()


def _drop_prefix(part: Any) -> Any:
    """Return a pre-tokenizer as its file writes it, without the space that it puts first."""
    if isinstance(part, list):
        return [_drop_prefix(each) for each in part]
    if not isinstance(part, dict):
        return part
    changed = {key: _drop_prefix(value) for key, value in part.items()}
    if "add_prefix_space" in part:
        changed["add_prefix_space"] = False
    if "prepend_scheme" in part:
        changed["prepend_scheme"] = "never"
    return changed


def _copy(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that can be changed; its vocabulary is shared, for it may be large."""
    copy = Tokenizer(tokenizer.model)
    for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        part = getattr(tokenizer, name)
        if part is not None:
            setattr(copy, name, part)
    added = tokenizer.get_added_tokens_decoder()
    copy.add_tokens([token for _, token in sorted(added.items())])
    if repr(copy.get_added_tokens_decoder()) == repr(added):
        return copy
    return Tokenizer.from_str(tokenizer.to_str())
