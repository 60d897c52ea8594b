"""A tiny model of every family with random weights, made as a Keras user makes one."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

import fillmask
from golden.tokenizer_cases import CASES
from model_store.checkpoints import read_tokenizer

_SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 24}
_LENGTH = 24

WORDS = ["the cat came home .", "the dog went to the house ."]
PROTEINS = ["M K T A Y I A K", "M Q I F V K T L"]

SETTINGS = {
    "sequence_length": 20,
    "truncate": "waterfall",
    "mask_selection_rate": 0.5,
    "mask_selection_length": 4,
    "mask_token_rate": 0.7,
    "random_token_rate": 0.2,
}
"""Of a preprocessor: none of them is what it is by default."""


@dataclass(frozen=True)
class FamilyCase:
    """A family as Keras users have it.

    Attributes:
        name: what its classes' names begin with.
        family: of its configs.
        tokenizer: the golden case of its tokenizer.
        sizes: arguments of its encoder, those that all have left out.
        task: what the name of its model ends with.
        vocabulary: how its encoder's first argument is called.
        texts: what it reads.
    """

    name: str
    family: str
    tokenizer: str
    sizes: dict[str, Any] = field(default_factory=dict)
    task: str = "MaskedLM"
    vocabulary: str = "vocabulary_size"
    texts: tuple[str, ...] = tuple(WORDS)

    def find(self, ending: str) -> Any:
        """Return a class of the family; the model's ending is empty."""
        middle = "" if ending in {"Backbone", "Tokenizer"} else self.task
        return getattr(fillmask, f"{self.name}{middle}{ending}")

    def make_preprocessor(self, **options: Any) -> Any:
        """Return the family's preprocessor with the golden tokenizer."""
        case = next(case for case in CASES if case.name == self.tokenizer)
        with TemporaryDirectory() as directory:
            subwords = read_tokenizer(case.write(Path(directory)))
        tokenizer = self.find("Tokenizer")(subwords=subwords)
        usual = {
            "sequence_length": _LENGTH,
            "mask_selection_length": 6,
            "mask_selection_rate": 0.4,
            "seed": 0,
        }
        return self.find("Preprocessor")(tokenizer, **{**usual, **options})

    def make_model(self) -> Any:
        """Return a model, the same at each call; its predictions differ clearly."""
        keras.utils.set_random_seed(18)
        preprocessor = self.make_preprocessor()
        rows = {self.vocabulary: preprocessor.tokenizer.vocabulary_size()}
        sizes = {"max_sequence_length": 2 * _LENGTH, **_SIZES, **self.sizes}
        backbone = self.find("Backbone")(dropout=0.0, **rows, **sizes)
        model = self.find("")(backbone, preprocessor)
        rng = np.random.default_rng(18)
        for weight in model.weights:
            if len(weight.shape) > 1:
                weight.assign(rng.standard_normal(weight.shape) * 0.3)
        return model

    def __str__(self) -> str:
        """Return the name, for tests' ids."""
        return self.name


FAMILY_CASES = (
    FamilyCase("DistilBert", "distilbert", "distilbert"),
    FamilyCase("Roberta", "roberta", "roberta"),
    FamilyCase("XLMRoberta", "roberta", "xlm-roberta"),
    FamilyCase(
        "Albert",
        "albert",
        "albert",
        {"num_layers": 4, "num_groups": 2, "num_inner_repetitions": 2, "embedding_dim": 10},
    ),
    FamilyCase("Electra", "electra", "electra", {"embedding_dim": 10}, vocabulary="vocab_size"),
    FamilyCase(
        "ESM",
        "esm",
        "esm",
        {"dropped_token": 32, "layer_norm_eps": 1e-5},
        task="MaskedPLM",
        texts=tuple(PROTEINS),
    ),
    FamilyCase("ModernBert", "modernbert", "modernbert", {"num_layers": 4, "local_reach": 2}),
)
