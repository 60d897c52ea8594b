"""The classes of other families than BERT's: named, signed and fed as keras-hub's are."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest

import fillmask
from family_models import FAMILY_CASES, SETTINGS, FamilyCase
from golden.tokenizer_cases import STORED
from random_checkpoints import fill_checkpoint

pytestmark = [pytest.mark.keras_hub, pytest.mark.filterwarnings("default")]

ENDINGS = ("Backbone", "Tokenizer", "Preprocessor", "")
SHARED = {
    ours.__name__: ours
    for case in FAMILY_CASES
    for ours in map(case.find, ENDINGS)
    if hasattr(keras_hub.models, ours.__name__)
}
"""Our classes that keras-hub has too, by their name."""

WORD_PIECE, BYTES, UNIGRAM = STORED / "word_piece", STORED / "byte_level", STORED / "unigram"
FILES = {
    "DistilBert": (WORD_PIECE / "vocab.txt",),
    "Roberta": (BYTES / "vocab.json", BYTES / "merges.txt"),
    "XLMRoberta": (UNIGRAM / "sentencepiece.bpe.model",),
    "Albert": (STORED / "albert" / "spiece.model",),
    "ESM": (STORED / "esm" / "vocab.txt",),
}
"""What the tokenizers of those with a preprocessor are made of."""


def list_arguments(kind: Any) -> list[inspect.Parameter]:
    """Return the arguments of a constructor that have names."""
    arguments = list(inspect.signature(kind.__init__).parameters.values())[1:]
    rest = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [argument for argument in arguments if argument.kind not in rest]


def test_all_that_keras_hub_has_is_here() -> None:
    """But for the tokenizer and the encoder of ELECTRA, it has a task for each."""
    assert len(SHARED) == 5 * len(ENDINGS) + 2


@pytest.mark.parametrize("name", SHARED)
def test_arguments_are_keras_hubs(name: str) -> None:
    """Their names, their order, and their defaults."""
    ours = list_arguments(SHARED[name])
    for own, theirs in zip(ours, list_arguments(getattr(keras_hub.models, name)), strict=False):
        assert own.name == theirs.name
        if theirs.default is not inspect.Parameter.empty:
            assert own.default == theirs.default, own.name
    assert len(ours) >= len(list_arguments(getattr(keras_hub.models, name)))


@pytest.mark.parametrize("case", [c for c in FAMILY_CASES if c.name in FILES], ids=str)
def test_rows_are_those_of_keras_hub(case: FamilyCase) -> None:
    """Made of the same files: tokens, padding, and where a second text begins."""
    files = [str(path) for path in FILES[case.name]]
    # Before a full stop keras-hub asks SentencePiece, and here it is read as Transformers does.
    texts = [text.removesuffix(" .") for text in case.texts]
    rows = []
    for models in (keras_hub.models, fillmask):
        tokenizer = getattr(models, f"{case.name}Tokenizer")(*files)
        preprocessor = getattr(models, f"{case.name}{case.task}Preprocessor")(
            tokenizer, sequence_length=24, mask_selection_rate=0.0, mask_selection_length=4
        )
        one, _, _ = preprocessor(texts[:1])
        parts = [one["token_ids"]]
        if case.name != "ESM":  # keras-hub's takes one text
            pair = tuple([text] for text in texts)
            parts.append(preprocessor(x=pair)[0]["token_ids"])
            assert sorted(one) == sorted(preprocessor_keys(models, case))
        rows.append([np.asarray(part) for part in parts])
    theirs, ours = rows
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("case", [c for c in FAMILY_CASES if c.name in FILES], ids=str)
def test_what_we_save_is_computed_by_keras_hub(case: FamilyCase, tmp_path: Path) -> None:
    """Logits within 1e-4, the tokens of its texts, and the settings of its preprocessor."""
    model = make_as_keras_hub(case)
    model.save_to_preset(tmp_path / "saved")
    theirs = getattr(keras_hub.models, type(model).__name__).from_preset(str(tmp_path / "saved"))
    features, _, _ = model.preprocessor(list(case.texts))
    expected = keras.ops.convert_to_numpy(model(features))
    found = theirs({name: features[name] for name in theirs.input})
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, atol=1e-4)
    assert np.abs(expected).max() > 1
    settings = {name: getattr(theirs.preprocessor, name) for name in SETTINGS}
    assert settings == list_settings(case)
    for text in (text.removesuffix(" .") for text in case.texts):
        tokens = np.asarray(theirs.preprocessor.tokenizer(text))
        np.testing.assert_array_equal(tokens, model.preprocessor.tokenizer(text))


@pytest.mark.parametrize("case", [c for c in FAMILY_CASES if c.name in FILES], ids=str)
def test_parts_that_we_save_are_computed_by_keras_hub(case: FamilyCase, tmp_path: Path) -> None:
    """An encoder alone, and a model without a preprocessor."""
    model = make_as_keras_hub(case)
    features, _, _ = model.preprocessor(list(case.texts))
    model.preprocessor = None
    for part in (model.backbone, model):
        directory = tmp_path / type(part).__name__
        part.save_to_preset(directory)
        theirs = getattr(keras_hub.models, directory.name).from_preset(str(directory))
        expected, found = (
            each({name: features[name] for name in each.input}) for each in (part, theirs)
        )
        if isinstance(found, dict):
            expected, found = expected["sequence_output"], found["sequence_output"]
        # Padding follows from the tenth token on; nobody asks what is there.
        expected, found = (keras.ops.convert_to_numpy(each)[:, :8] for each in (expected, found))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def make_as_keras_hub(case: FamilyCase) -> Any:
    """Return a model of a family that computes as KerasHub's class always does.

    RoBERTa's has a segment and padding's own position, as Transformers' files have them. ESM's rows
    are full, for KerasHub's attends to padding.
    """
    more = {"num_segments": 1, "skipped_token": 1} if case.family == "roberta" else {}
    usual = case.make_model().to_checkpoint()
    config = replace(usual.config, dropped_token=None, **more)
    if case.family != "esm":
        config = replace(config, head_layer_norm_epsilon=1e-5)
    model = fillmask.MaskedLM.from_checkpoint(fill_checkpoint(config, usual.tokenizer))
    model.preprocessor = case.make_preprocessor(**list_settings(case))
    return model


def list_settings(case: FamilyCase) -> dict[str, Any]:
    """Return the settings of a family's preprocessor."""
    return SETTINGS | {"sequence_length": 10} if case.family == "esm" else SETTINGS


def preprocessor_keys(models: Any, case: FamilyCase) -> list[str]:
    """Return the inputs of a model of the family."""
    sizes = {"num_layers": 2, "num_heads": 1, "hidden_dim": 4, "intermediate_dim": 4}
    narrow = {"embedding_dim": 4} if "embedding_dim" in case.sizes else {}
    backbone = getattr(models, f"{case.name}Backbone")(vocabulary_size=9, **sizes, **narrow)
    return [*backbone.input, "mask_positions"]
