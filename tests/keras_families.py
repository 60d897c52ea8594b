"""A small preset of each family of KerasHub's, written by KerasHub itself with random weights."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import keras_hub
import numpy as np
import sentencepiece

from golden.sentences import SENTENCES
from tiny_checkpoints import cased_vocabulary

TOKENIZERS = Path(__file__).parent / "golden" / "tokenizers"
LENGTH = 24

Presets: TypeAlias = dict[str, tuple[Path, Any]]
"""Those of the cases, and KerasHub's models of them."""

_SHAPE = {
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": LENGTH,
}
_models = keras_hub.models


@dataclass(frozen=True)
class Case:
    """A family.

    Attributes:
        backbone: the class, and
        fields: what it is made of beside the common shape.
        task: the class with a head.
        make_tokenizer: makes KerasHub's tokenizer.
        inputs: the features that the model takes.
    """

    backbone: Callable[..., Any]
    task: Callable[..., Any]
    make_tokenizer: Callable[[], Any]
    fields: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("token_ids", "padding_mask", "mask_positions")


def _word_piece() -> Any:
    return _models.DistilBertTokenizer(vocabulary=cased_vocabulary(), lowercase=True)


def _byte_level() -> Any:
    files = TOKENIZERS / "byte_level"
    return _models.RobertaTokenizer(
        vocabulary=str(files / "vocab.json"), merges=str(files / "merges.txt")
    )


def _unigram() -> Any:
    proto = (TOKENIZERS / "unigram" / "sentencepiece.bpe.model").read_bytes()
    return _models.XLMRobertaTokenizer(proto=proto)


def _albert() -> Any:
    """As ALBERT's own: trained on lower case without accents, its special tokens control ones."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(text.lower() for text in SENTENCES if text.isascii()),
        model_writer=model,
        vocab_size=200,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
    )
    return _models.AlbertTokenizer(proto=model.getvalue())


def _letters() -> Any:
    return _models.ESMTokenizer(vocabulary=str(TOKENIZERS / "esm" / "vocab.txt"))


_ALL = ("token_ids", "segment_ids", "padding_mask", "mask_positions")
_ESM = ("token_ids", "mask_positions")

CASES = {
    "distilbert": Case(_models.DistilBertBackbone, _models.DistilBertMaskedLM, _word_piece),
    "roberta": Case(_models.RobertaBackbone, _models.RobertaMaskedLM, _byte_level),
    "xlm-roberta": Case(_models.XLMRobertaBackbone, _models.XLMRobertaMaskedLM, _unigram),
    "albert": Case(
        _models.AlbertBackbone,
        _models.AlbertMaskedLM,
        _albert,
        {"embedding_dim": 6, "num_groups": 2, "num_inner_repetitions": 2, "num_layers": 4},
        _ALL,
    ),
    "esm": Case(_models.ESMBackbone, _models.ESMMaskedPLM, _letters, {"pad_token_id": 1}, _ESM),
    "esm, odd": Case(
        _models.ESMBackbone,
        _models.ESMMaskedPLM,
        _letters,
        {
            "pad_token_id": 1,
            "use_pre_layer_norm": True,
            "use_bias": False,
            "activation": "relu",
            "max_wavelength": 500,
            "layer_norm_eps": 1e-3,
        },
        _ESM,
    ),
}


def write_case(name: str, directory: Path) -> Any:
    """Write the preset of a case with random weights, biases too; return KerasHub's model of it."""
    case = CASES[name]
    tokenizer = case.make_tokenizer()
    size = tokenizer.vocabulary_size() + 3
    backbone = case.backbone(**{**_SHAPE, "vocabulary_size": size, **case.fields})
    preprocessor = case.task.preprocessor_cls(tokenizer, sequence_length=LENGTH)  # type: ignore[attr-defined]
    model = case.task(backbone, preprocessor)
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) * 0.5 for w in model.get_weights()])
    model.save_to_preset(str(directory))
    return model
