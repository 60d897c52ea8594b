"""Checkpoints that differ in special and added tokens, and in where these stand."""

from typing import Any

from matrix.row import TOKENIZER, Row
from matrix.tokenizer_rows import CONFIG, FILE_CLASS, MAP, NAMED, file_options, options
from matrix.usual import VOCABULARY

ADDED_FILE = "added_tokens.json"
E1, NEW = VOCABULARY.index("[E1]"), len(VOCABULARY)


def token(content: str, **fields: Any) -> dict[str, Any]:
    """Return a token as an object."""
    usual = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    return {"content": content, **usual, "special": True, **fields}


SPECIAL = {str(i): token(t) for i, t in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))}
MARKERS = ["[E1]", "[/E1]"]
ADDED = [
    options("additional_special_tokens", additional_special_tokens=MARKERS),
    options("extra_special_tokens", extra_special_tokens=MARKERS),
    options(
        "extra_special_tokens by name",
        extra_special_tokens={"start_token": "[E1]", "end_token": "[/E1]"},
    ),
    options(
        "extra and additional", extra_special_tokens=["[E1]"], additional_special_tokens=["[/E1]"]
    ),
    options("additional_special_tokens that are new", additional_special_tokens=["[E2]", "[/E2]"]),
    options("more of them than rows", additional_special_tokens=[f"[N{i}]" for i in range(20)]),
    options(
        "additional_special_tokens as objects",
        additional_special_tokens=[{"__type": "AddedToken", **token("[E1]")}],
    ),
    options("a marker by a name of its own", entity_token="[E1]"),
    Row("additional_special_tokens in the map", {MAP: {"additional_special_tokens": MARKERS}}),
    Row("extra_special_tokens in the map", {MAP: {"extra_special_tokens": MARKERS}}),
    Row(
        "additional_special_tokens in the map, others in the config",
        {
            MAP: {"additional_special_tokens": ["[E1]"]},
            CONFIG: {"additional_special_tokens": ["[/E1]"]},
        },
    ),
    Row(
        "a map beside a decoder",
        {MAP: {"additional_special_tokens": MARKERS}, CONFIG: {"added_tokens_decoder": SPECIAL}},
    ),
    Row("added_tokens.json", {ADDED_FILE: {"[E1]": E1, "[/E1]": E1 + 1}}),
    Row("added_tokens.json of new tokens", {ADDED_FILE: {"[E2]": NEW, "[/E2]": NEW + 1}}),
    Row(
        "added_tokens.json of a word", {ADDED_FILE: {"café": NEW}, CONFIG: {"do_lower_case": True}}
    ),
    Row(
        "added_tokens.json of words that are special",
        {ADDED_FILE: {"[E2]": NEW}, MAP: {"additional_special_tokens": ["[E2]"]}},
    ),
    options(
        "a decoder",
        added_tokens_decoder={**SPECIAL, str(E1): token("[E1]"), str(E1 + 1): token("[/E1]")},
    ),
    options(
        "a decoder of plain words",
        added_tokens_decoder={**SPECIAL, str(NEW): token("unable", special=False, normalized=True)},
    ),
    options(
        "a decoder of whole words",
        added_tokens_decoder={**SPECIAL, str(NEW): token("Par", single_word=True, special=False)},
    ),
    options(
        "a decoder with a mask that strips",
        added_tokens_decoder={**SPECIAL, "4": token("[MASK]", lstrip=True)},
    ),
    options(
        "a decoder that does not call them special",
        added_tokens_decoder={k: {**v, "special": False} for k, v in SPECIAL.items()},
    ),
    options("an empty decoder", added_tokens_decoder={}),
    options("a decoder that is none", added_tokens_decoder={"x": 1}),
    file_options("additional_special_tokens", additional_special_tokens=MARKERS),
    file_options("additional_special_tokens that are new", additional_special_tokens=["[E2]"]),
    file_options("a decoder", added_tokens_decoder={**SPECIAL, str(E1): token("[E1]")}),
    file_options(
        "a decoder with a mask that strips",
        added_tokens_decoder={**SPECIAL, "4": token("[MASK]", lstrip=True)},
    ),
    options("the mask as an object", mask_token={"__type": "AddedToken", **token("[MASK]")}),
    Row(
        "the mask as a bare object",
        {CONFIG: {"mask_token": {"content": "[MASK]"}}},
        twin="BertTokenizer",
    ),
    Row("the mask in the map alone", {MAP: {"mask_token": "<mask>"}}),
    Row("the mask in the map, stripping", {MAP: {"mask_token": token("[MASK]", lstrip=True)}}),
    Row(
        "the mask in the map and in the config",
        {MAP: {"mask_token": "<mask>"}, CONFIG: {"mask_token": "[MASK]"}},
    ),
    Row(
        "the mask in the map alone, " + FILE_CLASS,
        {MAP: NAMED, CONFIG: {"tokenizer_class": FILE_CLASS}},
        layouts=(TOKENIZER,),
    ),
    options("another mask", mask_token="<mask>"),
    options("a mask that is new", mask_token="<new>"),
    options("a mask of null", mask_token=None),
    options("another end", sep_token="</s>"),
    options("a begin and an end", bos_token="[CLS]", eos_token="</s>"),
]
