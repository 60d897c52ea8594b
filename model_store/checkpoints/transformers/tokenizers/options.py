"""What the files beside a vocabulary say of it, put together as Transformers does.

tokenizer_config.json    `added_tokens_decoder`, the special tokens and the options; it goes before
special_tokens_map.json  the special tokens again, and
added_tokens.json        added tokens by their ids, from before there was a decoder, and
tokenizer.json           `added_tokens`, which count without a decoder
"""

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from model_store.checkpoints.config_fields import read_object
from model_store.checkpoints.files import read_json_if_there
from model_store.errors import ModelLoadError

NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""The special tokens that have names, in the order in which Transformers adds them."""

_CONFIG = "tokenizer_config.json"
_EXTRA = "extra_special_tokens"
_EXTRA_BEFORE = "additional_special_tokens"
"""What it was called before Transformers 5."""


@dataclass(frozen=True, slots=True)
class TokenizerOptions:
    """What a directory says of its tokenizer beside the vocabulary.

    Attributes:
        fields: of `tokenizer_config.json`, overruled by `special_tokens_map.json`.
        named: the special tokens by their names; `mask_token` and the like.
        added: every token that is never cut, in the order in which they are added.
    """

    fields: dict[str, Any]
    named: dict[str, str]
    added: list[AddedToken]

    def with_added(self, symbols: Iterable[tuple[str, bool]]) -> list[AddedToken]:
        """Return `added` and symbols of a vocabulary that are found first: text, is it special."""
        known = {token.content for token in self.added}
        return [
            *self.added,
            *(
                AddedToken(text, normalized=False, special=special)
                for text, special in symbols
                if text not in known
            ),
        ]


def read_tokenizer_options(
    directory: Path,
    stored: list[dict[str, Any]],
    defaults: Mapping[str, str] | None,
    *,
    strips_mask: bool = False,
    extra: tuple[str, ...] = (),
) -> TokenizerOptions:
    """Read the files beside a vocabulary.

    Args:
        directory: where they are; each of them may be missing.
        stored: the `added_tokens` of `tokenizer.json`.
        defaults: the named tokens of a class that builds its tokenizer; None where it is the file
            itself, and has what is stored in it.
        strips_mask: whether a mask of which only the text is known takes the space before it.
        extra: tokens that are special beside the named ones, where no file lists such.

    Raises:
        ModelLoadError: a file is broken.
        TypeError, ValueError: a token is none.
    """
    fields = read_json_if_there(directory / _CONFIG)
    if _EXTRA_BEFORE in fields and not fields.get(_EXTRA):
        fields[_EXTRA] = fields.pop(_EXTRA_BEFORE)
    named = _pop_named(fields, defaults or {})
    in_file = [_make_token(token) for token in stored]
    if "added_tokens_decoder" in fields:
        tokens = read_object(_CONFIG, fields, "added_tokens_decoder")
        decoder = {int(index): _make_token(token) for index, token in tokens.items()}
    else:
        stored_map = read_json_if_there(directory / "special_tokens_map.json")
        _merge_map(fields, named, stored_map, defaults or {})
        decoder = _read_added(directory, fields, named)
        decoder |= {token["id"]: made for token, made in zip(stored, in_file, strict=True)}
    for name, text in (defaults or {}).items():
        named.setdefault(name, AddedToken(text, special=True))
    if strips_mask and not _is_described(directory):
        mask = named["mask_token"]
        named["mask_token"] = AddedToken(mask.content, lstrip=True, special=True)
    if extra:
        fields.setdefault(_EXTRA, list(extra))
    added = _order(decoder, named, _read_extra(fields), in_file if defaults is None else [])
    return TokenizerOptions(fields, {name: token.content for name, token in named.items()}, added)


def _is_described(directory: Path) -> bool:
    """Say whether the files say more of the mask than its text."""
    stored = read_json_if_there(directory / "special_tokens_map.json")
    fields = stored | read_json_if_there(directory / _CONFIG)
    return isinstance(fields.get("mask_token"), dict)


def _pop_named(fields: dict[str, Any], defaults: Mapping[str, str]) -> dict[str, AddedToken]:
    """Take the special tokens that have a name out of the fields: `x_token`, or `extra` by name."""
    tokens = {key: fields.pop(key) for key in list(fields) if key.endswith("_token")}
    if isinstance(fields.get(_EXTRA), dict):
        tokens |= fields.pop(_EXTRA)
    named = {}
    for name, token in tokens.items():
        if isinstance(token, str | dict) and token != "":
            named[name] = _make_token(token, special=True)
            named[name].special = True
        elif name in defaults or (name in NAMED and token):
            message = f"The {name} of {_CONFIG} is no text; fetch it again."
            raise ModelLoadError(message)
    return named


def _merge_map(
    fields: dict[str, Any],
    named: dict[str, AddedToken],
    stored: dict[str, Any],
    defaults: Mapping[str, str],
) -> None:
    """Let `special_tokens_map.json` overrule the fields."""
    extra = stored.pop(_EXTRA, None)
    if isinstance(extra, list):
        fields[_EXTRA] = [*(fields.get(_EXTRA) or []), *extra]
    elif extra is not None:
        fields[_EXTRA] = extra
    fields |= stored
    named |= _pop_named(fields, defaults)
    if _EXTRA_BEFORE in fields:
        fields.setdefault(_EXTRA, fields.pop(_EXTRA_BEFORE))


def _read_added(
    directory: Path, fields: dict[str, Any], named: dict[str, AddedToken]
) -> dict[int, AddedToken]:
    """Return the tokens of `added_tokens.json` by their ids."""
    special = {token.content for token in [*named.values(), *_read_extra(fields)]}
    return {
        index: AddedToken(text, normalized=text not in special, special=text in special)
        for text, index in read_json_if_there(directory / "added_tokens.json").items()
    }


def _read_extra(fields: dict[str, Any]) -> list[AddedToken]:
    extra = fields.get(_EXTRA) or []
    if not isinstance(extra, list):
        message = f"The {_EXTRA} of {_CONFIG} are no list of tokens; fetch it again."
        raise ModelLoadError(message)
    return [_make_token(token, special=True) for token in extra]


def _order(
    decoder: dict[int, AddedToken],
    named: dict[str, AddedToken],
    extra: list[AddedToken],
    in_file: list[AddedToken],
) -> list[AddedToken]:
    """Return what is to be added in Transformers' order, by which new tokens are numbered."""
    known = {repr(token) for token in in_file}
    added = {t.content: t for _, t in sorted(decoder.items()) if repr(t) not in known}
    names = [*(name for name in NAMED if name in named), *(n for n in named if n not in NAMED)]
    special = {token.content for token in named.values()}
    for token in added.values():
        token.special = token.special or token.content in special
    known = {token.content for token in in_file}
    for token in [*(named[name] for name in names), *extra]:
        if token.content not in known:
            added.setdefault(token.content, token)
    return list(added.values())


def _make_token(token: Any, **options: bool) -> AddedToken:
    """Return a token that stands in a file as a text, or as an object with options of its own."""
    if isinstance(token, str):
        return AddedToken(token, **options)
    if not isinstance(token, dict) or not isinstance(token.get("content"), str):
        message = f"the token {reprlib.repr(token)} is no text"
        raise TypeError(message)
    stored = {name: value for name, value in token.items() if name not in {"id", "__type"}}
    return AddedToken(**{**options, **stored})
