"""Small models of every family, each with a tokenizer of its own, and the texts that they fill."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import family_cases
from golden import tokenizer_cases
from golden.sentences import SENTENCES, mask_words

GOLDEN = Path(__file__).with_name("answers.json")
PREDICTIONS = 5

_LONGEST = 250
_SPECIAL = (
    "{cls} the {mask} {sep}",
    "{pad}{mask}",
    "The {pad} {mask}{pad}{pad} of {mask}",
    "play{mask} un{mask} {unk} {sep} x",
    "{pad} {pad} the {mask}. {pad}",
)
"""Texts that spell what a tokenizer puts around texts, and what fills up batches."""

_WORDS = tuple(mask_words(sentence, index) for index, sentence in enumerate(SENTENCES))
_LETTERS = "LAGVSERTIDPKQNFYMHWCXBUZO.-"


@dataclass(frozen=True)
class AnswerCase:
    """A model and its tokenizer.

    Attributes:
        model: its name, and that of its configuration in `family_cases.CASES`.
        tokenizer: the name of its tokenizer, one of `tokenizer_cases.CASES`.
        spare: how many rows it has that are no entries.
        like: the name of its configuration, where it is that of another family.
    """

    model: str
    tokenizer: str
    spare: int = 0
    like: str = ""

    @property
    def model_type(self) -> str:
        """What its `config.json` says it is."""
        return self.model.partition(",")[0]

    @property
    def has_spans(self) -> bool:
        """Whether Transformers knows where in a text the tokens are."""
        return self.model_type != "esm"

    def list_fields(self, entries: int) -> dict[str, Any]:
        """Return its configuration, for a tokenizer of so many entries."""
        fields = family_cases.CASES[self.like or self.model]
        return fields | {
            "vocab_size": entries + self.spare,
            "max_position_embeddings": _LONGEST,
            **({"mask_token_id": entries - 1} if self.model_type == "esm" else {}),
        }

    def write(self, directory: Path, golden: dict[str, Any]) -> Path:
        """Write the files, and return where they are.

        Args:
            directory: where to.
            golden: the `config` and the shapes of `tensors` that Transformers wrote, and the
                `salt` of the weights.
        """
        tokenizer = next(c for c in tokenizer_cases.CASES if c.name == self.tokenizer)
        tokenizer.write(directory)
        tensors = family_cases.make_tensors(golden["tensors"], golden["salt"])
        return family_cases.write_family_dir(directory, golden["config"], tensors)

    def list_texts(self, special: Any) -> list[str]:
        """Return the texts with the names of the tokens filled in.

        Args:
            special: how `mask`, `pad`, `unk`, `cls` and `sep` are spelled.
        """
        texts = _list_proteins() if self.model_type == "esm" else (*tokenizer_cases.TEXTS, *_WORDS)
        return [text.format(**special) for text in (*_SPECIAL, *texts)]


CASES = (
    AnswerCase("distilbert", "distilbert"),
    AnswerCase("distilbert, odd", "distilbert", spare=5),
    AnswerCase("electra", "electra"),
    AnswerCase("electra, odd", "electra", spare=3),
    AnswerCase("roberta", "roberta"),
    AnswerCase("roberta, odd", "roberta, two files and a mask that strips", spare=9),
    AnswerCase("camembert", "camembert, SentencePiece"),
    AnswerCase("camembert, odd", "camembert", spare=1, like="roberta, odd"),
    AnswerCase("xlm-roberta", "xlm-roberta"),
    AnswerCase("xlm-roberta, odd", "xlm-roberta, SentencePiece", spare=2, like="roberta, odd"),
    AnswerCase("albert", "albert, SentencePiece"),
    AnswerCase("albert, odd", "albert", spare=4),
    AnswerCase("modernbert", "modernbert"),
    AnswerCase("modernbert, odd", "modernbert", spare=64),
    AnswerCase("esm", "esm"),
    AnswerCase("esm, odd", "esm"),
)


def digest(reading: Sequence[Any], written: Sequence[Any]) -> str:
    """Return what fits a golden file of how a text is read and its predictions are written.

    Args:
        reading: its ids and the spans of its masks.
        written: for each mask, for each prediction, `[token_str, sequence]`.
    """
    content = json.dumps([*reading, *written], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def _list_proteins() -> tuple[str, ...]:
    """Return awkward texts, and random proteins of 1 to 60 letters with one to three masks."""
    rng = np.random.default_rng(18)
    texts = []
    for length in range(1, 61, 2):
        letters = rng.choice(list(_LETTERS), length)
        for place in rng.integers(0, length, rng.integers(1, 4)):
            letters[place] = "#"
        texts.append("".join(letters).replace("#", "{mask}"))
    return (*next(c for c in tokenizer_cases.CASES if c.name == "esm").texts, *texts)
