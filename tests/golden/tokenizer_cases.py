"""Small tokenizers of every kind that is read, and the files and options that they come with."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.sentences import SENTENCES

STORED = Path(__file__).with_name("tokenizers")
GOLDEN = Path(__file__).with_name("tokenizers.json")
PREDICTIONS = 3

_NASTY = (
    "{mask} is a city.",
    "un{mask} and {mask}ing",
    "A {mask}, a {mask}.",
    "  {mask} {mask}  {mask}",
    "{mask}{mask}",
    "line\n{mask} line\t{mask}",
    "\u00a0{mask}\u3000{mask}",
    "({mask})",
    "the {mask}\u0301 cat",
    "東京は{mask}です",
    "Ⅷ ﬁne ｆｕｌｌ {mask} e\u0301",
    "😀{mask}👨‍👩‍👧‍👦 {mask}",
    "\u0378 {mask} \ufffd",
    "``quoted'' {mask} A.B. 1,000 (x) €5",
    "MASK [mask] {mask} <MASK>",
    "don't {mask}'s {mask}",
)
_PROTEINS = (
    "MQIFVKT{mask}TGKTITLEV",
    "{mask}M K {mask}",
    "MKT LLB{mask}-X.",
    "mkt{mask}",
    "MKT<pad>{mask}é",
)
TEXTS = (*_NASTY, *(f"{text} {{mask}}" for text in SENTENCES[24:56:2]))
PAIRS = (("the {mask} cat", "a dog"), ("the cat", " {mask} on the mat"))
TARGETS = ("the", " the", "The", "Paris", " Paris", "▁the", "Ġthe", "##s", "a")


@dataclass(frozen=True)
class TokenizerCase:
    """A tokenizer as a directory has it.

    Attributes:
        name: of the case.
        family: the `model_type` of its `config.json`.
        kind: the folder that its files are in.
        files: which of these, and how they are called there if otherwise.
        options: its `tokenizer_config.json`.
        texts: what it reads.
    """

    name: str
    family: str
    kind: str
    files: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = TEXTS

    def write(self, directory: Path) -> Path:
        """Write the files, and return where they are."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, stored in self.files.items():
            shutil.copy(STORED / self.kind / stored, directory / name)
        _write_json(directory / "tokenizer_config.json", self.options)
        _write_json(directory / "config.json", {"model_type": self.family})
        return directory


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), "utf-8")


def _case(name: str, family: str, kind: str, *files: str, **options: Any) -> TokenizerCase:
    texts = _PROTEINS if kind == "esm" else TEXTS
    return TokenizerCase(name, family, kind, {file: file for file in files}, options, texts)


_JSON, _SPM = "tokenizer.json", "sentencepiece.bpe.model"
_STRIPS = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False}
_STRIPS |= {"single_word": False, "special": True, "__type": "AddedToken"}

CASES = (
    _case("roberta", "roberta", "byte_level", _JSON, tokenizer_class="RobertaTokenizer"),
    _case("roberta, no class", "roberta", "byte_level", _JSON),
    _case("roberta, Fast", "roberta", "byte_level", _JSON, tokenizer_class="RobertaTokenizerFast"),
    _case("roberta, two files", "roberta", "byte_level", "vocab.json", "merges.txt"),
    _case(
        "roberta, two files and a mask that strips",
        "roberta",
        "byte_level",
        "vocab.json",
        "merges.txt",
        mask_token=_STRIPS,
    ),
    _case("roberta, a space first", "roberta", "byte_level", _JSON, add_prefix_space=True),
    _case("roberta, spans with spaces", "roberta", "byte_level", _JSON, trim_offsets=False),
    _case("roberta, cleaned up", "roberta", "byte_level", _JSON, clean_up_tokenization_spaces=True),
    _case(
        "modernbert",
        "modernbert",
        "modernbert",
        _JSON,
        tokenizer_class="PreTrainedTokenizerFast",
        **{f"{role}_token": f"[{role.upper()}]" for role in ("unk", "sep", "pad", "cls", "mask")},
    ),
    _case("xlm-roberta", "xlm-roberta", "unigram", _JSON, tokenizer_class="XLMRobertaTokenizer"),
    _case("xlm-roberta, SentencePiece", "xlm-roberta", "unigram", _SPM),
    _case(
        "xlm-roberta, SentencePiece and a mask that strips",
        "xlm-roberta",
        "unigram",
        _SPM,
        mask_token=_STRIPS,
    ),
    _case(
        "xlm-roberta, cleaned up",
        "xlm-roberta",
        "unigram",
        _JSON,
        clean_up_tokenization_spaces=True,
    ),
    _case("camembert, SentencePiece", "camembert", "unigram", _SPM),
    _case("camembert", "camembert", "camembert", _JSON, tokenizer_class="CamembertTokenizer"),
    _case("albert", "albert", "albert", _JSON, tokenizer_class="AlbertTokenizer"),
    _case("albert, SentencePiece", "albert", "albert", "spiece.model"),
    _case(
        "albert, cased", "albert", "albert", "spiece.model", do_lower_case=False, keep_accents=True
    ),
    _case("mpnet", "mpnet", "mpnet", "vocab.txt", tokenizer_class="MPNetTokenizer"),
    _case("mpnet, cased", "mpnet", "mpnet", "vocab.txt", do_lower_case=False),
    _case("electra", "electra", "word_piece", "vocab.txt", tokenizer_class="ElectraTokenizer"),
    _case("distilbert", "distilbert", "word_piece", "vocab.txt"),
    _case("esm", "esm", "esm", "vocab.txt", tokenizer_class="EsmTokenizer"),
)
