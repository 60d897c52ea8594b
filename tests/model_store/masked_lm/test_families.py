"""Every family as KerasHub's users have BERT: made, trained on texts, saved and loaded."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import fillmask
from family_models import FAMILY_CASES, FamilyCase
from model_store.checkpoints import read_checkpoint

pytestmark = pytest.mark.parametrize("case", FAMILY_CASES, ids=str)

KINDS = ("Backbone", "MaskedLM", "MaskedLMPreprocessor", "Tokenizer")


def run(model: Any, features: Any) -> Any:
    """Return the logits of a batch."""
    return keras.ops.convert_to_numpy(model(features))


def measure(model: Any, features: Any, labels: Any, weights: Any) -> float:
    """Return the loss of a masked batch, a mask."""
    losses = keras.losses.sparse_categorical_crossentropy(labels, model(features), from_logits=True)
    return float((keras.ops.convert_to_numpy(losses) * weights).sum() / weights.sum())


def test_fit_on_texts_lowers_the_loss(case: FamilyCase) -> None:
    """Raw strings, masked anew in every epoch."""
    model = case.make_model()
    measured = case.make_preprocessor()(list(case.texts) * 4)
    before = measure(model, *measured)
    model.compile(keras.optimizers.Adam(2e-2), run_eagerly=True)
    model.fit(list(case.texts) * 4, batch_size=8, epochs=6, verbose=0)
    assert measure(model, *measured) < 0.9 * before
    entries = model.preprocessor.tokenizer.vocabulary_size()
    assert model.predict(list(case.texts), verbose=0).shape == (2, 6, entries)


def test_a_saved_model_is_loaded_as_it_was(case: FamilyCase, tmp_path: Path) -> None:
    """By the class that takes any and by the family's own; and what reads parts finds them."""
    model = case.make_model()
    features, _, _ = model.preprocessor(list(case.texts))
    directory = tmp_path / "saved"
    model.save_to_preset(directory)
    stored = read_checkpoint(directory)
    assert stored.config.family == case.family
    assert stored.tokenizer.vocabulary == model.preprocessor.tokenizer.vocabulary
    loaded = fillmask.MaskedLM.from_preset(directory)
    assert type(loaded) is type(model)
    assert type(loaded.preprocessor) is type(model.preprocessor)
    assert type(loaded.preprocessor.tokenizer) is type(model.preprocessor.tokenizer)
    np.testing.assert_allclose(run(loaded, features), run(model, features), atol=1e-5)
    own = case.find("").from_preset(directory, preprocessor=None)
    assert own.to_config() == loaded.to_config()
    backbone = case.find("Backbone").from_preset(directory)
    hidden = {name: array for name, array in features.items() if name != "mask_positions"}
    for mine, theirs in zip(
        keras.tree.flatten(backbone(hidden)),
        keras.tree.flatten(loaded.backbone(hidden)),
        strict=True,
    ):
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (mine, theirs)), atol=1e-5)


def test_classes_of_another_family_refuse(case: FamilyCase, tmp_path: Path) -> None:
    """It would be built of other parts than the model was trained with."""
    case.make_model().save_to_preset(tmp_path / "saved")
    for kind in KINDS:
        with pytest.raises(ValueError, match=f"'bert' and the model of '{case.family}'; use"):
            getattr(fillmask, f"Bert{kind}").from_preset(tmp_path / "saved")


def test_a_config_makes_the_same_model(case: FamilyCase) -> None:
    """With every difference from BERT, and the preprocessor."""
    model = case.make_model()
    made = type(model).from_config(model.get_config())
    assert made.to_config() == model.to_config()
    assert [weight.path for weight in made.weights] == [weight.path for weight in model.weights]
    assert made.name == model.name
    assert made.preprocessor.to_settings() == model.preprocessor.to_settings()
    assert made.preprocessor.tokenizer.vocabulary == model.preprocessor.tokenizer.vocabulary


def test_a_keras_file_holds_all_of_it(case: FamilyCase, tmp_path: Path) -> None:
    """As `model.save` writes it."""
    model = case.make_model()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    features, _, _ = model.preprocessor(list(case.texts))
    np.testing.assert_array_equal(run(loaded, features), run(model, features))


def test_rows_are_packed_as_the_family_reads_them(case: FamilyCase) -> None:
    """As its tokenizer frames a text, or two; masks are its own, and features the model's."""
    model = case.make_model()
    preprocessor = case.make_preprocessor(mask_selection_rate=0.0, sequence_length=96)
    subwords = preprocessor.tokenizer.subwords
    for texts in (case.texts[:1], case.texts):
        features, _, _ = preprocessor(tuple([text] for text in texts))
        framed = subwords.encode(*texts)
        ids = features["token_ids"][0]
        assert ids[: len(framed.ids)].tolist() == framed.ids
        assert set(ids[len(framed.ids) :]) == {subwords.pad_token_id}
        assert features["padding_mask"][0].tolist() == (ids != subwords.pad_token_id).tolist()
        if "segment_ids" in features:
            types = features["segment_ids"][0][: len(framed.ids)]
            assert types.tolist() == framed.type_ids
    assert features.keys() == model.input.keys()
    masked = case.make_preprocessor(
        mask_selection_rate=1.0, mask_token_rate=1.0, random_token_rate=0.0
    )
    features, _, weights = masked([case.texts[0]])
    chosen = features["token_ids"][0][features["mask_positions"][0][weights[0] > 0]]
    assert set(chosen) == {subwords.mask_token_id}


def test_texts_come_back_from_their_ids(case: FamilyCase) -> None:
    """As people write them, but for blanks and case."""
    tokenizer = case.make_preprocessor().tokenizer
    for text in case.texts:
        written = tokenizer.detokenize(tokenizer(text))
        assert written.replace(" ", "").lower() == text.replace(" ", "").lower()


def test_a_low_rank_adaptation_is_merged_when_saved(case: FamilyCase, tmp_path: Path) -> None:
    """And changes what the model says."""
    model = case.make_model()
    features, _, _ = model.preprocessor(list(case.texts))
    before = run(model, features)
    model.backbone.enable_lora(2)
    model.compile(keras.optimizers.Adam(1e-1), run_eagerly=True)
    model.fit(list(case.texts), batch_size=2, epochs=2, verbose=0)
    after = run(model, features)
    assert np.abs(after - before).max() > 1e-3
    model.save_to_preset(tmp_path / "saved")
    loaded = fillmask.MaskedLM.from_preset(tmp_path / "saved")
    np.testing.assert_allclose(run(loaded, features), after, atol=1e-4)


def test_a_summary_names_the_parts(case: FamilyCase, capsys: pytest.CaptureFixture[str]) -> None:
    """The encoder and the head."""
    case.make_model().summary(line_length=160)
    printed = capsys.readouterr().out
    assert "masked_lm_head" in printed
    assert f"({case.name}Backbone)" in printed


def test_a_part_of_another_family_is_refused(case: FamilyCase) -> None:
    """An encoder, and a preprocessor whose features are others."""
    bert = fillmask.BertBackbone(600, 1, 2, 8, 12, max_sequence_length=24)
    with pytest.raises(ValueError, match=f"BertBackbone; give a fillmask.{case.name}Backbone"):
        case.find("")(bert)
    preprocessor = case.make_preprocessor()
    if not preprocessor.has_segments:
        wanted = "give a fillmask.BertMaskedLMPreprocessor"
        with pytest.raises(ValueError, match=f"of another family; {wanted}"):
            fillmask.BertMaskedLM(bert, preprocessor)
