"""The tokenizer of a directory, read as its class in Transformers does.

BertTokenizer and its other names  a vocabulary, of `tokenizer.json` or else of `vocab.txt`, and the
                                   class's own rules; what else `tokenizer.json` says is not heard
PreTrainedTokenizerFast            `tokenizer.json` as it stands
any other                          cuts texts in another way, and is refused
"""

import json
import reprlib
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from tokenizers import Tokenizer

from model_store.checkpoints.files import (
    is_there,
    read_json,
    read_json_if_there,
    read_stripped_vocabulary,
)
from model_store.checkpoints.transformers.tokenizer_options import (
    TokenizerOptions,
    read_tokenizer_options,
)
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import ModelLoadError

_LONGEST_REASON = 200
_SAMPLE = "The [MASK] 北 é \u0378."
"""Has a character that no vocabulary has."""

_BERT_CLASSES = frozenset(
    f"{name}Tokenizer{suffix}"
    for name in (
        "Bert",
        "DistilBert",
        "Electra",
        "LayoutLM",
        "Lxmert",
        "MobileBert",
        "SqueezeBert",
    )
    for suffix in ("", "Fast")
)
_FILE_CLASSES = frozenset({"PreTrainedTokenizerFast", "TokenizersBackend"})
_DEFAULTS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_TOKENIZER = "tokenizer.json"
_CONFIG = "tokenizer_config.json"


def read_tokenizer(directory: Path) -> SubwordTokenizer:
    """Read the tokenizer of a directory.

    Raises:
        ModelLoadError: its files are missing, broken, or of a tokenizer that is not BERT's.
    """
    is_bert = _find_class(directory) in _BERT_CLASSES
    has_file = is_there(directory / _TOKENIZER)
    if not has_file and not is_bert:
        message = f"{_TOKENIZER} is missing, and its class reads nothing else; fetch it again."
        raise ModelLoadError(message)
    content = read_json(directory / _TOKENIZER) if has_file else None
    try:
        options = read_tokenizer_options(
            directory, _list_added(content or {}), _DEFAULTS if is_bert else None
        )
        _require_usual(options.fields)
        if is_bert:
            vocabulary = _read_vocabulary(directory, content)
            return _check(_build(vocabulary, options))
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
        ModelLoadError: it is none of those that read BERT's vocabularies.
    """
    for name in (_CONFIG, "config.json"):
        given = read_json_if_there(directory / name).get("tokenizer_class")
        if given is None or given == "":
            continue
        if isinstance(given, str) and given in _BERT_CLASSES | _FILE_CLASSES:
            return given
        message = (
            f"The tokenizer is a {reprlib.repr(given)}, says {name}; "
            "use a checkpoint with a BertTokenizer."
        )
        raise ModelLoadError(message)
    return "BertTokenizer"


def _list_added(content: dict[str, Any]) -> list[dict[str, Any]]:
    added = content.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(token, dict) for token in added):
        message = f"the added_tokens of {_TOKENIZER} are no list of tokens"
        raise ValueError(message)
    return added


def _require_usual(fields: dict[str, Any]) -> None:
    """Refuse what would have texts read in another way than ours."""
    code = fields.get("auto_map")
    if isinstance(code, list) or (isinstance(code, dict) and code.get("AutoTokenizer")):
        message = (
            f"{_CONFIG} names a tokenizer with code of its own (auto_map), which is never run; "
            "use a checkpoint with a BertTokenizer."
        )
        raise ModelLoadError(message)
    if fields.get("split_special_tokens"):
        message = (
            f"{_CONFIG} has special tokens split (split_special_tokens), so that no text can hold "
            "a mask; set it to false."
        )
        raise ModelLoadError(message)
    if fields.get("fast_tokenizer_files", [_TOKENIZER]) != [_TOKENIZER]:
        message = (
            f"{_CONFIG} names other files than {_TOKENIZER} (fast_tokenizer_files); "
            "save the tokenizer anew."
        )
        raise ModelLoadError(message)


def _read_vocabulary(
    directory: Path, content: dict[str, Any] | None
) -> Mapping[str, int] | list[str]:
    """Return the entries of `tokenizer.json`, or of `vocab.txt` where there is none."""
    if content is None:
        return read_stripped_vocabulary(directory / "vocab.txt")
    model = content.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if model is None or not vocabulary or model.get("type", "WordPiece") != "WordPiece":
        message = f"{_TOKENIZER} holds no WordPiece vocabulary, which a BertTokenizer needs"
        raise ValueError(message)
    # The class hears no more of the file, but what is no tokenizer is no place for a vocabulary.
    Tokenizer.from_str(json.dumps({**content, "model": {**model, "vocab": {}}, "added_tokens": []}))
    return vocabulary if isinstance(vocabulary, dict) else list(vocabulary)


def _build(
    vocabulary: Mapping[str, int] | list[str], options: TokenizerOptions
) -> SubwordTokenizer:
    """Build the tokenizer by the rules of `BertTokenizer`, with its defaults."""
    fields = options.fields
    return build_word_piece(
        vocabulary,
        lowercase=fields.get("do_lower_case", True),
        strip_accents=fields.get("strip_accents"),
        split_cjk=fields.get("tokenize_chinese_chars", True),
        special_tokens=_name_special(options),
        added_tokens=options.added,
        clean_up_spaces=bool(fields.get("clean_up_tokenization_spaces")),
    )


def _parse(content: dict[str, Any], options: TokenizerOptions) -> SubwordTokenizer:
    """Take a `tokenizer.json` as it stands, and add what is only said beside it."""
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_tokens(options.added)
    clean_up_spaces = bool(options.fields.get("clean_up_tokenization_spaces"))
    return SubwordTokenizer(tokenizer, _name_special(options), clean_up_spaces=clean_up_spaces)


def _name_special(options: TokenizerOptions) -> SpecialTokens:
    texts = {name: options.named.get(name, text) for name, text in _DEFAULTS.items()}
    return SpecialTokens(**{name.removesuffix("_token"): text for name, text in texts.items()})


def _check(tokenizer: SubwordTokenizer) -> SubwordTokenizer:
    """Encode and decode once: what lacks an entry that it names fails where a text needs it."""
    tokenizer.decode(tokenizer.encode(_SAMPLE).ids, skip_special_tokens=False)
    return tokenizer
