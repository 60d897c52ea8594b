"""The tokenizer of a directory, read as its class in Transformers does.

one of `classes`         a vocabulary, of `tokenizer.json` or else of the family's own files, and
                         the class's own rules; what else `tokenizer.json` says is not heard
PreTrainedTokenizerFast  `tokenizer.json` as it stands
any other                cuts texts in another way, and is refused
"""

import json
import reprlib
from pathlib import Path
from textwrap import shorten
from typing import Any

from tokenizers import Tokenizer

from model_store.checkpoints.files import is_there, read_json, read_json_if_there
from model_store.checkpoints.transformers.tokenizers.classes import (
    BERT,
    CLASSES,
    USUAL,
    TokenizerClass,
)
from model_store.checkpoints.transformers.tokenizers.options import (
    TokenizerOptions,
    read_tokenizer_options,
)
from model_store.checkpoints.transformers.tokenizers.vocabularies import TOKENIZER, Stored
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError

_LONGEST_REASON = 200
_SAMPLE = "The [MASK] 北 é \u0378."
"""Has a character that no vocabulary has."""

_FILE_CLASSES = frozenset({"PreTrainedTokenizerFast", "TokenizersBackend"})
_FILE_FAMILIES = frozenset({"modernbert"})
"""Whatever class their files name, Transformers takes `tokenizer.json` as it stands."""

_CONFIG = "tokenizer_config.json"
_NOT_READ = {
    "BertweetTokenizer": "its BPE has no form as a tokenizer.json; use another RoBERTa checkpoint.",
}


def read_tokenizer(directory: Path) -> SubwordTokenizer:
    """Read the tokenizer of a directory.

    Raises:
        ModelLoadError: its files are missing, broken, or of a tokenizer that is not read.
    """
    name = _find_class(directory)
    kind = CLASSES.get(name)
    has_file = is_there(directory / TOKENIZER)
    if not has_file and kind is None:
        message = f"{TOKENIZER} is missing, and its class reads nothing else; fetch it again."
        raise ModelLoadError(message)
    content = read_json(directory / TOKENIZER) if has_file else None
    try:
        options = read_tokenizer_options(
            directory,
            _list_added(content or {}),
            kind.defaults if kind else None,
            strips_mask=bool(kind and kind.strips_mask),
            extra=kind.extra if kind and has_file else (),
        )
        _require_usual(options.fields, name)
        if kind:
            special = _name_special(options, kind)
            return _check(kind.build(Stored(directory, content, name), options, special))
        return _check(_parse(content or {}, options))
    except (KeyboardInterrupt, SystemExit, ModelLoadError):
        raise
    except BaseException as error:  # the library raises bare Exceptions, and panics that are none
        reason = shorten(str(error), _LONGEST_REASON)
        message = f"The tokenizer cannot be used: {reason}; fetch its files again."
        raise ModelLoadError(message) from error


def _find_class(directory: Path) -> str:
    """Return the class that a directory names; `tokenizer_config.json` goes before `config.json`.

    Raises:
        ModelLoadError: it is none of those that are read.
    """
    family = read_json_if_there(directory / "config.json").get("model_type")
    if family in _FILE_FAMILIES:
        return "TokenizersBackend"
    usual = USUAL.get(family, "BertTokenizer") if isinstance(family, str) else "BertTokenizer"
    for name in (_CONFIG, "config.json"):
        given = read_json_if_there(directory / name).get("tokenizer_class")
        if given is None or given == "":
            continue
        if isinstance(given, str) and (given in CLASSES or given in _FILE_CLASSES):
            return given
        advice = _NOT_READ.get(str(given), _advise(usual))
        message = f"The tokenizer is a {reprlib.repr(given)}, says {name}; {advice}"
        raise ModelLoadError(message)
    return usual


def _advise(name: str) -> str:
    return f"use a checkpoint whose tokenizer is of the class {name}."


def _list_added(content: dict[str, Any]) -> list[dict[str, Any]]:
    added = content.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(token, dict) for token in added):
        message = f"the added_tokens of {TOKENIZER} are no list of tokens"
        raise ValueError(message)
    return added


def _require_usual(fields: dict[str, Any], name: str) -> None:
    """Refuse what would have texts read in another way than ours."""
    code = fields.get("auto_map")
    if isinstance(code, list) or (isinstance(code, dict) and code.get("AutoTokenizer")):
        message = (
            f"{_CONFIG} names a tokenizer with code of its own (auto_map), which is never run; "
            f"{_advise(name)}"
        )
        raise ModelLoadError(message)
    if fields.get("split_special_tokens"):
        message = (
            f"{_CONFIG} has special tokens split (split_special_tokens), so that no text can hold "
            "a mask; set it to false."
        )
        raise ModelLoadError(message)
    if fields.get("fast_tokenizer_files", [TOKENIZER]) != [TOKENIZER]:
        message = (
            f"{_CONFIG} names other files than {TOKENIZER} (fast_tokenizer_files); "
            "save the tokenizer anew."
        )
        raise ModelLoadError(message)


def _parse(content: dict[str, Any], options: TokenizerOptions) -> SubwordTokenizer:
    """Take a `tokenizer.json` as it stands, and add what is only said beside it."""
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_tokens(options.added)
    clean_up_spaces = bool(options.fields.get("clean_up_tokenization_spaces"))
    return SubwordTokenizer(
        tokenizer, _name_special(options, BERT), clean_up_spaces=clean_up_spaces
    )


def _name_special(options: TokenizerOptions, kind: TokenizerClass) -> SpecialTokens:
    named = {**kind.defaults, **options.named}
    begins, ends = kind.roles
    return SpecialTokens(
        pad=named["pad_token"],
        unk=named["unk_token"],
        cls=named[begins],
        sep=named[ends],
        mask=named["mask_token"],
    )


def _check(tokenizer: SubwordTokenizer) -> SubwordTokenizer:
    """Encode and decode once: what lacks an entry that it names fails where a text needs it."""
    tokenizer.decode(tokenizer.encode(_SAMPLE).ids, skip_special_tokens=False)
    return tokenizer
