"""A model whose vocabulary reads none of the built-in texts: a `probe.txt` of its own proves it."""

import shutil
from itertools import product
from pathlib import Path

import keras
import pytest

from conversions import copy_from
from model_store.checkpoints import write_transformers_dir
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines import EngineOptions
from model_store.engines.openvino import list_precisions
from model_store.errors import HeadUnprovenError
from model_store.loading import converted_models
from model_store.loading.converted_models import open_converted
from model_store.masked_lm.families.bert import BertMaskedLM, BertMaskedLMPreprocessor
from model_store.store import ModelStore
from tiny_checkpoints import SPECIAL_TOKENS

CODONS = ["".join(bases) for bases in product("acgt", repeat=3)]
MOTIF = CODONS[3:60:5]
LENGTH = 48


@pytest.fixture(scope="module")
def dna_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model of DNA that knows a motif, and a text for it."""
    tokenizer = build_word_piece([*SPECIAL_TOKENS, *CODONS])
    keras.utils.set_random_seed(0)
    config = EncoderConfig(
        vocabulary_size=len(SPECIAL_TOKENS) + len(CODONS),
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=LENGTH,
        dropout=0.0,
    )
    preprocessor = BertMaskedLMPreprocessor(
        tokenizer, LENGTH, mask_selection_rate=0.2, mask_selection_length=8, seed=0
    )
    model = BertMaskedLM.from_encoder_config(config, preprocessor=preprocessor)
    model.compile(optimizer=keras.optimizers.Adam(3e-3, global_clipnorm=1.0))
    texts = [spell(start) for start in range(len(MOTIF))] * 100
    model.fit(texts, batch_size=16, verbose=0)
    directory = tmp_path_factory.mktemp("store")
    write_transformers_dir(model.to_checkpoint(), directory / "dna")
    (directory / "dna" / "probe.txt").write_text(spell(0), "utf-8")
    return directory


def spell(start: int) -> str:
    """Return a text of codons, from some place in the motif on."""
    return " ".join((MOTIF * 5)[start : start + 36])


def test_a_text_of_its_own_proves_it_on_every_precision(dna_store: Path, cache_dir: Path) -> None:
    """By name, and by `auto`, which holds precisions against each other on that text."""
    for precision in ("auto", *list_precisions()):
        options = EngineOptions("openvino", precision, cache_dir)
        model = ModelStore(dna_store, engine=options).load("dna")
        assert precision in {"auto", model.facts.precision}
        assert all(candidate.is_faithful for candidate in model.facts.candidates)


def test_without_a_text_it_asks_for_one(
    dna_store: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence, whatever the machine computes in."""
    with open_converted(dna_store / "dna", cache_dir) as same:
        monkeypatch.setattr(converted_models, "convert_apart", copy_from(same.directory))
    without = shutil.ignore_patterns("probe.txt", "head_proof.json")
    shutil.copytree(dna_store / "dna", tmp_path / "dna", ignore=without)
    options = EngineOptions("openvino", cache_directory=cache_dir)
    with pytest.raises(HeadUnprovenError, match=r"probe\.txt"):
        ModelStore(tmp_path, engine=options).load("dna")
