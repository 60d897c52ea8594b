"""Checkpoints of a family that differ in their tokenizer, and in the files that hold it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from golden.tokenizer_cases import STORED
from matrix.families.usual import FAMILIES, MERGES, SENTENCEPIECE, Usual, read_json
from matrix.row import GONE, TOKENIZER, VOCAB, Row
from matrix.usual import make_tokenizer, write_json

CONFIG = "tokenizer_config.json"
MAP = "special_tokens_map.json"
FILE_CLASS = "PreTrainedTokenizerFast"

_MASK = {"lstrip": True, "rstrip": False, "normalized": False, "single_word": False}
_ADDED = {"__type": "AddedToken"}
_CLEANED = {"clean_up_tokenization_spaces": True, "model_max_length": 16}
_OWN_CLASS = {
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "roberta": "RobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "albert": "AlbertTokenizer",
    "esm": "EsmTokenizer",
    "modernbert": "TokenizersBackend",
}
_ANGLED = {"roberta", "camembert", "xlm-roberta", "esm"}


def spell(usual: Usual) -> dict[str, str]:
    """Return the special tokens of a family by their names."""
    if usual.family == "esm":
        return {
            "cls_token": "<cls>",
            "eos_token": "<eos>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        }
    if usual.family in _ANGLED:
        return {
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        }
    return {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}


def list_tokenizers(usual: Usual) -> list[Row]:
    """Return the rows of a family."""
    own = {
        "distilbert": _list_word_piece,
        "electra": _list_word_piece,
        "roberta": _list_merges,
        "camembert": _list_sentencepiece,
        "xlm-roberta": _list_sentencepiece,
        "albert": _list_sentencepiece,
        "modernbert": _list_stored,
        "esm": _list_letters,
    }
    return [*_list_classes(usual), *_list_options(usual), *own[usual.family](usual)]


def _list_classes(usual: Usual) -> list[Row]:
    every, first = tuple(usual.tokenizers), tuple(usual.tokenizers)[:1]
    name = _OWN_CLASS[usual.family]
    named = spell(usual)
    others = {"RobertaTokenizer", "BertTokenizer"}
    return [
        options(name, every, tokenizer_class=name),
        options(f"{name.removesuffix('Fast')}Fast", every, tokenizer_class=f"{name}Fast"),
        options("no class", first, tokenizer_class=GONE),
        Row("no tokenizer_config.json", {CONFIG: GONE}, layouts=every, twin=name),
        Row(
            "the class in config.json",
            {CONFIG: {"tokenizer_class": GONE}, "config.json": {"tokenizer_class": name}},
            layouts=first,
        ),
        options(FILE_CLASS, every, tokenizer_class=FILE_CLASS, **named),
        options("NoSuchTokenizer", first, tokenizer_class="NoSuchTokenizer"),
        options("a tokenizer of own code", first, auto_map={"AutoTokenizer": ["own.Own", None]}),
        *(options(other, first, tokenizer_class=other) for other in sorted(others - {name})),
    ]


def _list_options(usual: Usual) -> list[Row]:
    every, first = tuple(usual.tokenizers), tuple(usual.tokenizers)[:1]
    mask = spell(usual)["mask_token"]
    strips = {"content": mask, **_MASK, "special": True}
    plain = {**strips, "lstrip": False}
    return [
        options("a mask that does not strip", every, mask_token={**_ADDED, **plain}),
        options("a mask that strips", every, mask_token={**_ADDED, **strips}),
        options("the mask as a text", every, mask_token=mask),
        Row("a mask that strips, in the map", {MAP: {"mask_token": strips}}, layouts=every),
        Row("all special tokens in the map", {MAP: spell(usual)}, layouts=first),
        options("a mask that is new", first, mask_token="<new>"),
        Row(
            "a mask of null",
            {CONFIG: {"mask_token": None}},
            layouts=first,
            twin=_OWN_CLASS[usual.family],
        ),
        options("cleaned up, 16 at most", first, **_CLEANED),
        options("additional_special_tokens", first, additional_special_tokens=["[E1]", "[/E1]"]),
        Row("added_tokens.json", {"added_tokens.json": _add_one}, layouts=every),
        options("an empty decoder", first, added_tokens_decoder={}),
    ]


def _add_one(path: Path) -> None:
    """Add a word behind all entries, wherever these end."""
    write_json(path, {"caf\u00e9": _count_entries(path.parent)})


def _count_entries(directory: Path) -> int:
    """Return how many entries the tokenizer of the usual model has."""
    config = read_json(directory / "config.json")
    return int(config["vocab_size"]) - FAMILIES[config["model_type"]].spare


def options(what: str, layouts: tuple[str, ...], **fields: Any) -> Row:
    """Return a row whose `tokenizer_config.json` has other fields."""
    return Row(what, {CONFIG: fields}, layouts=layouts)


def stored(what: str, change: Callable[[dict[str, Any]], Any], **fields: Any) -> Row:
    """Return a row whose `tokenizer.json` is changed."""

    def apply(path: Path) -> None:
        content = read_json(path)
        change(content)
        path.write_text(json.dumps(content), "utf-8")

    return Row(what, {TOKENIZER: apply, CONFIG: fields}, layouts=(TOKENIZER,))


def put(name: str, kind: str) -> dict[str, Any]:
    """Return a change that puts a file of a stored tokenizer beside the others."""
    return {name: lambda path: path.write_bytes((STORED / kind / name).read_bytes())}


def edit(name: str, change: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Return a change of the bytes of a file."""
    return {name: lambda path: path.write_bytes(change(path.read_bytes()))}


def _list_stored(usual: Usual) -> list[Row]:
    del usual
    return [
        stored("no post-processor", lambda c: c.update(post_processor=None)),
        stored("no added tokens", lambda c: c.update(added_tokens=[])),
        stored("no vocabulary", lambda c: c["model"].update(vocab={})),
        stored("texts cut at 6", lambda c: c.update(truncation=_CUT)),
        Row("a broken tokenizer.json", {TOKENIZER: "{"}, layouts=(TOKENIZER,)),
        Row("no vocabulary at all", {TOKENIZER: GONE}, layouts=(TOKENIZER,)),
    ]


_CUT = {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0}


def _list_merges(usual: Usual) -> list[Row]:
    both, two = tuple(usual.tokenizers), (MERGES,)
    vocabulary, merges = "vocab.json", "merges.txt"
    return [
        options("a space first", both, add_prefix_space=True),
        options("spans with spaces", both, trim_offsets=False),
        options("GPT2Tokenizer", both, tokenizer_class="GPT2Tokenizer"),
        options("BertweetTokenizer", two, tokenizer_class="BertweetTokenizer"),
        Row("no vocab.json", {vocabulary: GONE}, layouts=two),
        Row("no merges.txt", {merges: GONE}, layouts=two),
        Row("no first line in merges.txt", edit(merges, _cut_first), layouts=two),
        Row("CRLF in merges.txt", edit(merges, lambda x: x.replace(b"\n", b"\r\n")), layouts=two),
        Row("no mask in vocab.json", {vocabulary: {"<mask>": GONE}}, layouts=two),
        Row("merges of unknown pieces", edit(merges, lambda x: x + b"qqq zzz\n"), layouts=two),
        Row(
            "both, alike",
            {**put(vocabulary, "byte_level"), **put(merges, "byte_level")},
            layouts=(TOKENIZER,),
        ),
        Row(
            "both, unlike", {vocabulary: {"a": 0}, merges: "#version: 0.2\n"}, layouts=(TOKENIZER,)
        ),
        Row(
            "a tokenizer.json of another kind beside",
            put(TOKENIZER, "albert"),
            layouts=two,
        ),
        stored("merges as texts", _join_merges),
        *_list_stored(usual),
    ]


def _cut_first(content: bytes) -> bytes:
    return content.partition(b"\n")[2] if content.startswith(b"#version") else content


def _join_merges(content: dict[str, Any]) -> None:
    merges = content["model"]["merges"]
    content["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in merges]


def _list_sentencepiece(usual: Usual) -> list[Row]:
    file = "spiece.model" if usual.family == "albert" else "sentencepiece.bpe.model"
    other = "sentencepiece.bpe.model" if usual.family == "albert" else "spiece.model"
    kind = "albert" if usual.family == "albert" else "unigram"
    rows = [
        Row("no model of SentencePiece", {file: GONE}, layouts=(SENTENCEPIECE,)),
        Row("an empty model of SentencePiece", {file: ""}, layouts=(SENTENCEPIECE,)),
        Row("a broken model of SentencePiece", {file: "broken"}, layouts=(SENTENCEPIECE,)),
        Row(
            "its model under another name",
            {file: GONE, other: _stored_bytes(kind, file)},
            layouts=(SENTENCEPIECE,),
        ),
        Row("both, alike", put(file, kind), layouts=(TOKENIZER,)),
        Row("both, unlike", {file: "unlike"}, layouts=(TOKENIZER,)),
        options("no space first", tuple(usual.tokenizers), add_prefix_space=False),
        options("legacy", tuple(usual.tokenizers), legacy=False),
    ]
    if usual.family == "albert":
        rows += [
            options("do_lower_case false", tuple(usual.tokenizers), do_lower_case=False),
            options("keep_accents", tuple(usual.tokenizers), keep_accents=True),
        ]
    return [*rows, *_list_stored(usual)]


def _stored_bytes(kind: str, name: str) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes((STORED / kind / name).read_bytes())


def _list_word_piece(usual: Usual) -> list[Row]:
    both = tuple(usual.tokenizers)

    def put_tokenizer(path: Path) -> None:
        path.write_text(make_tokenizer().to_str(), "utf-8")

    return [
        options("do_lower_case false", both, do_lower_case=False),
        options("strip_accents false", both, strip_accents=False),
        options("CJK characters kept together", both, tokenize_chinese_chars=False),
        Row("tokenizer.json alone", {VOCAB: GONE, TOKENIZER: put_tokenizer}, layouts=both),
        Row("both, unlike", {VOCAB: "[PAD]\n[UNK]\n", TOKENIZER: put_tokenizer}, layouts=both),
        Row("no vocabulary at all", {VOCAB: GONE}, layouts=both),
        Row("CRLF", edit(VOCAB, lambda x: x.replace(b"\n", b"\r\n")), layouts=both),
        Row("no mask", edit(VOCAB, lambda x: x.replace(b"[MASK]", b"[NASK]")), layouts=both),
        Row("a vocabulary of another family", put(VOCAB, "esm"), layouts=both),
    ]


def _list_letters(usual: Usual) -> list[Row]:
    both = tuple(usual.tokenizers)
    return [
        Row("no vocabulary at all", {VOCAB: GONE}, layouts=both),
        Row("a tokenizer.json alone", {VOCAB: GONE, **put(TOKENIZER, "unigram")}, layouts=both),
        Row("no last line break", edit(VOCAB, bytes.rstrip), layouts=both),
        Row("CRLF", edit(VOCAB, lambda x: x.replace(b"\n", b"\r\n")), layouts=both),
        Row("a last empty line", edit(VOCAB, lambda x: x + b"\n"), layouts=both),
        Row("words among the letters", edit(VOCAB, lambda x: x + b"MKT\nLL\n"), layouts=both),
        Row("no mask", edit(VOCAB, lambda x: x.replace(b"<mask>", b"<nask>")), layouts=both),
        Row(
            "white space behind entries",
            edit(VOCAB, lambda x: x.replace(b"\n", b" \n")),
            layouts=both,
        ),
    ]
