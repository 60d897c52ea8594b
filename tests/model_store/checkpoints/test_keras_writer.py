"""KerasHub's format of other families than BERT: what we write, we read again as it was."""

import json
import shutil
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tokenizers import Tokenizer

import fillmask
from family_models import FAMILY_CASES, SETTINGS, FamilyCase
from golden.tokenizer_cases import CASES, TokenizerCase
from model_store.checkpoints import (
    Checkpoint,
    is_keras_family,
    read_checkpoint,
    read_tokenizer,
    write_keras_backbone,
    write_keras_preset,
    write_transformers_dir,
)
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from random_checkpoints import assert_same, fill_checkpoint, make_features

MODELS = [case for case in FAMILY_CASES if is_keras_family(case.family)]
_FAMILIES = ("albert", "camembert", "distilbert", "esm", "roberta", "xlm-roberta")
TOKENIZERS = [case for case in CASES if case.family in _FAMILIES]
FILES = {
    "assets",
    "config.json",
    "metadata.json",
    "model.weights.h5",
    "preprocessor.json",
    "task.json",
    "task.weights.h5",
    "tokenizer.json",
}


def find_case(name: str) -> FamilyCase:
    """Return a family's case."""
    return next(case for case in MODELS if case.name == name)


@cache
def read_usual(name: str) -> Checkpoint:
    """Return a family's model as it is."""
    saved: Checkpoint = find_case(name).make_model().to_checkpoint()
    return saved


def make_checkpoint(name: str, **fields: Any) -> Checkpoint:
    """Return a random model of a family, its config changed."""
    read = read_usual(name)
    return fill_checkpoint(replace(read.config, **fields), read.tokenizer)


def answer(checkpoint: Checkpoint) -> Any:
    """Return a model's logits of a batch with padding."""
    model = fillmask.MaskedLM.from_checkpoint(checkpoint)
    features = make_features(replace(checkpoint.config, num_segments=1))
    return keras.ops.convert_to_numpy(model({name: features[name] for name in model.input}))


def read_class(path: Path) -> Any:
    """Return the name of the class that a file describes."""
    return json.loads(path.read_text("utf-8"))["class_name"]


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_a_preset_is_read_as_it_was_saved(case: FamilyCase, tmp_path: Path) -> None:
    """Every number, the tokenizer, and how the preprocessor masks."""
    model = case.make_model()
    model.preprocessor = case.make_preprocessor(**SETTINGS)
    model.save_to_preset(tmp_path / "saved")
    assert {path.name for path in (tmp_path / "saved").iterdir()} == FILES
    assert_same(read_checkpoint(tmp_path / "saved"), model.to_checkpoint())
    loaded = case.find("").from_preset(tmp_path / "saved")
    assert asdict(loaded.preprocessor.to_settings()) == SETTINGS
    alone = case.find("Preprocessor").from_preset(tmp_path / "saved")
    assert asdict(alone.to_settings()) == SETTINGS


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_parts_are_saved_under_the_names_of_their_classes(case: FamilyCase, tmp_path: Path) -> None:
    """XLM-RoBERTa's too, whose encoder is RoBERTa's."""
    model = case.make_model()
    model.backbone.save_to_preset(tmp_path / "backbone")
    assert read_class(tmp_path / "backbone" / "config.json") == type(model.backbone).__name__
    backbone = type(model.backbone).from_preset(tmp_path / "backbone")
    assert backbone.to_config() == model.backbone.to_config()
    model.preprocessor.save_to_preset(tmp_path / "rows")
    name = type(model.preprocessor).__name__
    assert read_class(tmp_path / "rows" / "preprocessor.json") == name
    model.preprocessor.tokenizer.save_to_preset(tmp_path / "cut")
    name = type(model.preprocessor.tokenizer).__name__
    assert read_class(tmp_path / "cut" / "tokenizer.json") == name
    model.preprocessor = None
    model.save_to_preset(tmp_path / "model")
    assert read_class(tmp_path / "model" / "task.json") == type(model).__name__
    again = type(model).from_preset(tmp_path / "model", preprocessor=None)
    assert again.to_config() == model.to_config()


@pytest.mark.parametrize(
    "case", [case for case in TOKENIZERS if case.family != "camembert"], ids=lambda case: case.name
)
def test_a_tokenizer_is_read_as_it_was_written(case: TokenizerCase, tmp_path: Path) -> None:
    """With options that KerasHub has not: where spans begin, and what a mask takes with it."""
    tokenizer = read_tokenizer(case.write(tmp_path / "original"))
    name = {"esm": "ESM", "albert": "Albert", "distilbert": "DistilBert"}.get(case.family)
    checkpoint = make_checkpoint(name or "Roberta", vocabulary_size=tokenizer.vocabulary_size)
    write_keras_preset(replace(checkpoint, tokenizer=tokenizer), tmp_path / "written")
    read = read_checkpoint(tmp_path / "written").tokenizer
    assert read.list_parts() == tokenizer.list_parts()
    assert read.special_tokens == tokenizer.special_tokens
    assert read.clean_up_spaces == tokenizer.clean_up_spaces


@pytest.mark.parametrize("name", ["Roberta", "XLMRoberta"])
def test_what_transformers_roberta_has_more_is_a_part_of_the_positions(
    name: str, tmp_path: Path
) -> None:
    """One segment, and padding's own position: the answers are the same."""
    checkpoint = make_checkpoint(name, num_segments=1, skipped_token=1)
    write_keras_preset(checkpoint, tmp_path / "saved")
    read = read_checkpoint(tmp_path / "saved")
    assert read.config == replace(checkpoint.config, num_segments=0, skipped_token=None)
    np.testing.assert_allclose(answer(read), answer(checkpoint), atol=1e-5)
    assert np.abs(answer(read)).max() > 0.5


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Roberta", {"hidden_act": "silu", "layer_norm_epsilon": 0.01}),
        ("Albert", {"head_hidden_act": "relu", "head_layer_norm_epsilon": 0.25}),
        ("ESM", {"tie_word_embeddings": False, "dropped_token": None}),
        ("ESM", {"hidden_act": "gelu_new", "embeddings_norm": True, "rotary_base": 500.0}),
        ("ESM", {"attention_bias": False, "feedforward_bias": False}),
    ],
)
def test_what_a_class_fixes_otherwise_is_said(
    name: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    """Beside the fields that KerasHub reads."""
    checkpoint = make_checkpoint(name, **fields)
    kept = {p: a for p, a in checkpoint.variables.items() if name == "Albert" or "pooled" not in p}
    write_keras_preset(checkpoint, tmp_path / "saved")
    assert_same(read_checkpoint(tmp_path / "saved"), replace(checkpoint, variables=kept))


@pytest.mark.parametrize(
    ("num_layers", "layer_order"),
    [(1, (0, 0, 0)), (2, (0, 0, 1, 1)), (3, (0, 1, 2, 0, 1, 2)), (6, (0, 1, 2, 3, 4, 5))],
)
def test_layers_that_run_in_groups_come_back(
    num_layers: int, layer_order: tuple[int, ...], tmp_path: Path
) -> None:
    """ALBERT's, as KerasHub counts them."""
    checkpoint = make_checkpoint("Albert", num_layers=num_layers, layer_order=layer_order)
    write_keras_preset(checkpoint, tmp_path / "saved")
    assert_same(read_checkpoint(tmp_path / "saved"), checkpoint)


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("DistilBert", {"norm_first": True}, "DistilBertBackbone has no norm_first as this"),
        ("Roberta", {"num_segments": 2}, "RobertaBackbone has no num_segments as"),
        ("XLMRoberta", {"tie_word_embeddings": False}, "XLMRobertaMaskedLM has no decoder apart"),
        ("Albert", {"layer_order": (0, 3, 1)}, "a layer_order of groups alone"),
        ("Albert", {"layer_order": (0, 0, 1, 1, 2), "num_layers": 3}, "does not divide by"),
        ("ESM", {"learned_positions": True}, "has no learned_positions as"),
        ("ESM", {"attention_bias": False}, "has no feedforward_bias as"),
        ("ESM", {"decoder_bias": False}, "has no decoder_bias as"),
    ],
)
def test_a_model_that_kerashub_has_no_words_for_is_refused(
    name: str, fields: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """It would compute something else; nothing is left behind."""
    with pytest.raises(ValueError, match=rf"{sentence}.*Transformers format instead"):
        write_keras_preset(make_checkpoint(name, **fields), tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["camembert", "distilbert", "new entry", "finer"])
def test_a_tokenizer_that_kerashub_has_no_words_for_is_refused(name: str, tmp_path: Path) -> None:
    """It would cut texts in another way; nothing is left behind."""
    checkpoint = make_checkpoint("XLMRoberta")
    content = json.loads(checkpoint.tokenizer.to_json())
    if name == "new entry":
        content["added_tokens"].append({**content["added_tokens"][-1], "id": 999, "content": "é!"})
    elif name == "finer":
        content["model"]["vocab"][9][1] = -7.123456789
    else:
        [case, *_] = [case for case in TOKENIZERS if case.name == name]
        content = json.loads(read_tokenizer(case.write(tmp_path / "other")).to_json())
        shutil.rmtree(tmp_path / "other")
    special = SpecialTokens() if name == "distilbert" else checkpoint.tokenizer.special_tokens
    tokenizer = SubwordTokenizer(Tokenizer.from_str(json.dumps(content)), special)
    config = replace(checkpoint.config, vocabulary_size=2000)
    with pytest.raises(ValueError, match="Transformers format instead"):
        write_keras_preset(fill_checkpoint(config, tokenizer), tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_a_preset_is_written_over_another_and_over_no_other_format(tmp_path: Path) -> None:
    """As a BERT's is."""
    first, second = (make_checkpoint("Roberta", dropout=dropout) for dropout in (0.0, 0.25))
    write_keras_preset(first, tmp_path / "saved")
    (tmp_path / "saved" / "notes.txt").write_text("mine", "utf-8")
    write_keras_preset(second, tmp_path / "saved")
    assert read_checkpoint(tmp_path / "saved").config == second.config
    assert (tmp_path / "saved" / "notes.txt").read_text("utf-8") == "mine"
    assert not list(tmp_path.glob("**/.*"))
    write_transformers_dir(first, tmp_path / "other")
    with pytest.raises(FileExistsError, match="no KerasHub preset; choose a name"):
        write_keras_preset(first, tmp_path / "other")
    write_keras_backbone(first.config, first.variables, tmp_path / "backbone")
    with pytest.raises(FileExistsError, match="holds a masked LM"):
        write_keras_backbone(first.config, first.variables, tmp_path / "saved")
