"""Checkpoints that differ in what their `tokenizer.json` or their `vocab.txt` holds."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from matrix.row import GONE, TOKENIZER, VOCAB, Row
from matrix.tokenizer_rows import CONFIG, FILE_CLASS, NAMED
from matrix.usual import ROWS, VOCABULARY

NEW = len(VOCABULARY)


def stored(what: str, **parts: Any) -> list[Row]:
    """Return rows whose `tokenizer.json` has other parts, for both kinds of class."""
    fields = {"tokenizer_class": FILE_CLASS, **NAMED}
    return [
        Row(what, {"tokenizer.json": parts}, layouts=(TOKENIZER,)),
        Row(
            f"{what}, {FILE_CLASS}",
            {"tokenizer.json": parts, CONFIG: fields},
            layouts=(TOKENIZER,),
        ),
    ]


def model(**fields: Any) -> Callable[[Path], None]:
    """Return a change of the model in `tokenizer.json`."""

    def change(path: Path) -> None:
        content = json.loads(path.read_text("utf-8"))
        content["model"] |= fields
        content["model"] = {k: v for k, v in content["model"].items() if v is not GONE}
        path.write_text(json.dumps(content), "utf-8")

    return change


def entries(change: Callable[[str], str]) -> dict[str, Any]:
    """Return a change of the text of `vocab.txt`."""
    return {"vocab.txt": lambda path: path.write_text(change(path.read_text("utf-8")), "utf-8")}


STORED = [
    *stored("no post-processor", post_processor=None),
    *stored("no added tokens", added_tokens=[]),
    *(
        replace(row, twin=row.what.replace("no word of", "no"))
        for row in stored("no word of added tokens", added_tokens=GONE)
    ),
    *stored("no normalizer", normalizer=None),
    *stored(
        "a lower-casing normalizer",
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
    ),
    *stored("another pre-tokenizer", pre_tokenizer={"type": "WhitespaceSplit"}),
    *stored(
        "texts cut at 6",
        truncation={"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0},
    ),
    *stored(
        "texts padded",
        padding={
            "strategy": {"Fixed": 64},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
    ),
    *(
        Row(what + end, {"tokenizer.json": model(**fields), CONFIG: extra}, layouts=(TOKENIZER,))
        for what, fields in (
            ("a vocabulary of no type", {"type": GONE}),
            (
                "a vocabulary of words",
                {
                    "type": "WordLevel",
                    "continuing_subword_prefix": GONE,
                    "max_input_chars_per_word": GONE,
                },
            ),
            ("words of 5 characters at most", {"max_input_chars_per_word": 5}),
            ("pieces that start with @@", {"continuing_subword_prefix": "@@"}),
        )
        for end, extra in (("", {}), (f", {FILE_CLASS}", {"tokenizer_class": FILE_CLASS, **NAMED}))
    ),
    Row("no vocabulary", {"tokenizer.json": GONE}, layouts=(TOKENIZER,)),
    Row("another vocab.txt beside it", {"vocab.txt": "[PAD]\n[UNK]\n"}, layouts=(TOKENIZER,)),
    *(
        Row(what, entries(change), layouts=(VOCAB,))
        for what, change in (
            ("a last empty line", lambda text: text + "\n"),
            ("two last empty lines", lambda text: text + "\n\n"),
            ("no last line break", lambda text: text[:-1]),
            ("an entry twice", lambda text: text.replace("\nParis\n", "\nParis\nthe\n")),
            (
                "an entry twice, the last one too late",
                lambda text: text + "the\n" * (ROWS - NEW + 1),
            ),
            ("white space behind entries", lambda text: text.replace("\n", " \t\n")),
            ("white space before entries", lambda text: text.replace("\nParis", "\n Paris")),
            ("an empty line in the middle", lambda text: text.replace("\nParis\n", "\n\n")),
            (
                "odd spaces behind an entry",
                lambda text: text.replace("\nParis\n", "\nParis\u2003\x85\n"),
            ),
            ("a mark at the start", lambda text: "\ufeff" + text),
            ("no mask", lambda text: text.replace("[MASK]", "[NASK]")),
            ("no unknown", lambda text: text.replace("[UNK]", "[UNC]")),
            ("more entries than rows", lambda text: text + "".join(f"x{i}\n" for i in range(20))),
        )
    ),
]
