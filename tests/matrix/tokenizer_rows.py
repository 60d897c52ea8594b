"""What the rows of tokenizers share."""

from typing import Any

from matrix.row import TOKENIZER, Row

CONFIG = "tokenizer_config.json"
MAP = "special_tokens_map.json"
FILE_CLASS = "PreTrainedTokenizerFast"
NAMED = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}


def options(what: str, **fields: Any) -> Row:
    """Return a row whose `tokenizer_config.json` has other fields."""
    return Row(what, {CONFIG: fields})


def file_options(what: str, **fields: Any) -> Row:
    """Return the same for the class that takes a `tokenizer.json` as it stands."""
    fields = {"tokenizer_class": FILE_CLASS, **NAMED, **fields}
    return Row(f"{what}, {FILE_CLASS}", {CONFIG: fields}, layouts=(TOKENIZER,))
