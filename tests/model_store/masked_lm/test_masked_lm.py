"""The model trains on texts, and what it learnt can be saved."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelStoreError
from model_store.fetching.catalog import read_catalog
from model_store.masked_lm.families.bert import BertMaskedLM, BertMaskedLMPreprocessor
from model_store.masked_lm.families.esm import ESMMaskedPLM
from model_store.masked_lm.masked_lm import MaskedLM

TWO = ["The cat came home.", "The dog went to the house."]
MANY = [
    f"The {noun} {verb} the {place}."
    for noun in ["cat", "dog", "man", "child"]
    for verb in ["saw", "came", "went", "took"]
    for place in ["house", "river", "city", "school"]
]
FEATURES = {
    "token_ids": np.array([[2, 10, 4, 11, 4, 3]] * 2),
    "padding_mask": np.ones((2, 6), int),
    "segment_ids": np.zeros((2, 6), int),
    "mask_positions": np.array([[2, 4]] * 2),
}
LABELS = np.array([[12, 13]] * 2)


def make_model(directory: Path, **options: Any) -> Any:
    """Return the small model with short rows, to be quick, trained fast."""
    keras.utils.set_random_seed(0)
    checkpoint = read_checkpoint(directory)
    preprocessor = BertMaskedLMPreprocessor(
        checkpoint.tokenizer, 16, mask_selection_length=4, seed=0
    )
    model = BertMaskedLM.from_preset(directory, preprocessor=preprocessor, **options)
    compile_model(model)
    return model


def compile_model(model: Any, **options: Any) -> None:
    """Compile for fast learning, without graphs: making them takes longer than these trainings."""
    model.compile(**{"optimizer": keras.optimizers.Adam(3e-3), "run_eagerly": True} | options)


@pytest.fixture
def model(tiny_preset_dir: Path) -> Any:
    """A small model of its own for each test."""
    return make_model(tiny_preset_dir)


def values(model: Any) -> list[np.ndarray[Any, Any]]:
    """Return copies of the weights."""
    return [np.array(weight) for weight in model.get_weights()]


def test_training_on_two_strings_lowers_the_loss(model: Any) -> None:
    """KerasHub's own example: a list of two strings, and graphs as by default."""
    compile_model(model, run_eagerly=False)
    losses = model.fit(TWO, batch_size=2, epochs=12, verbose=0).history["loss"]
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) * 0.8


def test_training_on_a_file_of_strings_lowers_the_loss(model: Any, tmp_path: Path) -> None:
    """Sixty-four lines of a file, measured by evaluate before and after."""
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(MANY), "utf-8")
    texts = np.array(path.read_text("utf-8").splitlines())
    assert len(texts) == 64
    before = model.evaluate(texts, verbose=0, return_dict=True)
    model.fit(texts, batch_size=16, epochs=4, verbose=0)
    after = model.evaluate(texts, verbose=0, return_dict=True)
    assert after["loss"] < before["loss"] * 0.8
    assert after["sparse_categorical_accuracy"] > before["sparse_categorical_accuracy"]


def test_batches_of_strings_are_taken(model: Any) -> None:
    """Lists of lists, tf.data and generators are batched already."""
    batches = [MANY[:8], MANY[8:12]]
    dataset = tf.data.Dataset.from_tensor_slices(MANY[:12]).batch(8).filter(lambda _: True)
    for x in (batches, dataset, iter(batches)):
        assert model.predict(x, steps=2, verbose=0).shape == (12, 4, model.backbone.vocabulary_size)
    history = model.fit(batches, epochs=2, verbose=0, validation_data=(batches,)).history
    assert len(history["val_loss"]) == 2


def test_pairs_of_strings_are_taken(model: Any) -> None:
    """A tuple of two lists is first and second segments."""
    history = model.fit(
        (TWO, TWO[::-1]), batch_size=1, verbose=0, validation_data=((TWO, TWO[::-1]),)
    )
    assert {"loss", "val_loss"} <= set(history.history)


def test_masks_differ_between_epochs(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fed in one epoch is not fed again in the next."""
    fed = []
    mask = model.preprocessor.masker.mask
    monkeypatch.setattr(
        type(model.preprocessor.masker),
        "mask",
        lambda _, tokens, rng: fed.append(mask(tokens, rng)) or fed[-1],
    )
    model.fit(MANY[:8], batch_size=8, epochs=3, verbose=0, shuffle=False)
    assert len({batch.token_ids.tobytes() for batch in fed}) == len(fed) >= 3


def test_split_off_texts_are_not_trained_on(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last quarter validates."""
    trained: list[str] = []
    feed = model._feed

    def spy(x: Any, *arguments: Any, **options: Any) -> Any:
        trained.extend(x[0])
        return feed(x, *arguments, **options)

    monkeypatch.setattr(model, "_feed", spy)
    history = model.fit(MANY, epochs=1, verbose=0, validation_split=0.25).history
    assert trained == MANY[:48]
    assert "val_loss" in history


def test_shuffled_epochs_hold_every_text(model: Any) -> None:
    """Shuffling loses nothing, and changes the order."""
    dataset = model._feed(MANY, None, 64, kwargs={}, shuffle=True)
    first = dataset._order.copy()
    dataset.on_epoch_end()
    assert sorted(first) == sorted(dataset._order) == list(range(64))
    assert not np.array_equal(first, dataset._order)


def test_defaults_are_those_of_keras_hub(tiny_preset_dir: Path) -> None:
    """Adam at 5e-5, cross-entropy of logits, and weighted accuracy."""
    model = BertMaskedLM.from_preset(str(tiny_preset_dir))
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert float(model.optimizer.learning_rate) == pytest.approx(5e-5)
    assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
    assert model.loss.get_config()["from_logits"]
    assert model.preprocessor.sequence_length == model.backbone.max_sequence_length
    model.run_eagerly = True
    logs = model.evaluate(TWO, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "sparse_categorical_accuracy"}


def test_preprocessed_data_trains_without_a_preprocessor(tiny_preset_dir: Path) -> None:
    """The other example of KerasHub: features and integer labels."""
    model = BertMaskedLM.from_preset(tiny_preset_dir, preprocessor=None)
    compile_model(model)
    losses = model.fit(FEATURES, LABELS, batch_size=2, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.evaluate(FEATURES, LABELS, verbose=0)[0] < losses[0]
    assert model.predict(FEATURES, verbose=0).shape[:2] == (2, 2)


def test_frozen_backbone_stays_as_it_is(model: Any) -> None:
    """Only the head learns, and not the embeddings that it shares."""
    model.backbone.trainable = False
    compile_model(model)
    backbone, bias = values(model.backbone), np.array(model.masked_lm_head.bias)
    model.fit(TWO, batch_size=2, epochs=3, verbose=0)
    for before, after in zip(backbone, values(model.backbone), strict=True):
        assert np.array_equal(before, after)
    assert not np.array_equal(bias, np.array(model.masked_lm_head.bias))


def test_presets_are_the_catalogue() -> None:
    """Exactly its names, in its order; a class of one family has those of that one."""
    assert list(MaskedLM.presets.keys()) == list(read_catalog())
    for kind in (BertMaskedLM, ESMMaskedPLM):
        of_family = [name for name, e in read_catalog().items() if e.family == kind.family]
        assert list(kind.presets.keys()) == of_family
    assert "esm2_t6_8M" in ESMMaskedPLM.presets


def test_weights_come_from_the_files(tiny_preset_dir: Path) -> None:
    """Every weight is what the checkpoint says."""
    variables = read_checkpoint(tiny_preset_dir).variables
    model = BertMaskedLM.from_preset(tiny_preset_dir)
    for weight in model.weights:
        assert np.array_equal(np.array(weight), variables[weight.path])


def test_weights_are_random_where_asked_for(tiny_preset_dir: Path) -> None:
    """The shape is the preset's, the weights are not."""
    first, second = (
        BertMaskedLM.from_preset(tiny_preset_dir, load_weights=False) for _ in range(2)
    )
    kernel = "transformer_layer_0/query/kernel"
    stored = read_checkpoint(tiny_preset_dir).variables[kernel]
    kernels = [
        next(np.array(w) for w in model.weights if w.path == kernel) for model in (first, second)
    ]
    assert kernels[0].shape == stored.shape
    assert not np.array_equal(kernels[0], stored)
    assert not np.array_equal(kernels[0], kernels[1])


def test_embedded_preset_is_found_by_name() -> None:
    """A name of the catalogue is enough, and its head is there."""
    model = BertMaskedLM.from_preset("minilm_l6_en_uncased")
    assert model.backbone.num_layers == 6


def test_unknown_preset_is_refused() -> None:
    """No model is made of nothing."""
    with pytest.raises(ModelStoreError):
        BertMaskedLM.from_preset("no_such_preset")


def test_mixed_precision_computes_low_and_keeps_weights_high(tiny_preset_dir: Path) -> None:
    """`dtype` reaches every layer; losses and metrics are taken of float32."""
    model = make_model(tiny_preset_dir, dtype="mixed_bfloat16")
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    assert model.masked_lm_head.compute_dtype == "bfloat16"
    hidden = model.backbone({k: v for k, v in FEATURES.items() if k != "mask_positions"})
    assert keras.backend.standardize_dtype(hidden["sequence_output"].dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(model(FEATURES).dtype) == "float32"
    losses = model.fit(TWO, batch_size=2, epochs=12, verbose=0).history["loss"]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_saved_preset_is_read_back(model: Any, tmp_path: Path) -> None:
    """KerasHub's format holds the same weights and tokenizer."""
    model.fit(TWO, batch_size=2, verbose=0)
    model.save_to_preset(tmp_path / "saved")
    again = BertMaskedLM.from_preset(tmp_path / "saved")
    for before, after in zip(values(model), values(again), strict=True):
        assert np.array_equal(before, after)
    assert again.preprocessor.tokenizer.vocabulary == model.preprocessor.tokenizer.vocabulary
    assert np.allclose(model(FEATURES), again(FEATURES), atol=1e-5)


def test_checkpoint_of_a_model_is_that_of_its_files(tiny_preset_dir: Path) -> None:
    """Reading and `to_checkpoint` are each other's inverse."""
    read = read_checkpoint(tiny_preset_dir)
    made = BertMaskedLM.from_preset(tiny_preset_dir).to_checkpoint()
    assert made.config == read.config
    assert made.variables.keys() == read.variables.keys()
    assert all(
        np.array_equal(made.variables[name], read.variables[name]) for name in read.variables
    )


def test_model_without_a_tokenizer_is_no_checkpoint(tiny_preset_dir: Path) -> None:
    """What is served needs one."""
    model = BertMaskedLM.from_preset(tiny_preset_dir, preprocessor=None)
    with pytest.raises(ValueError, match="set its preprocessor"):
        model.to_checkpoint()


def test_model_is_made_again_from_its_config(model: Any) -> None:
    """Keras clones and saves models through it."""
    again = BertMaskedLM.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert np.allclose(model(FEATURES), again(FEATURES), atol=1e-6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": TWO, "y": LABELS}, "leave y and sample_weight out"),
        ({"x": FEATURES}, "preprocessor to None"),
        ({"x": "One string."}, "give a list"),
        ({"x": []}, "give one at least"),
        ({"x": TWO, "validation_data": (TWO, TWO)}, "validation_data=texts"),
        ({"x": TWO, "validation_data": iter([TWO])}, "no generator"),
        ({"x": [TWO, TWO], "validation_split": 0.5}, "give validation_data"),
        ({"x": TWO, "validation_split": 0.9}, "a part empty"),
    ],
)
def test_wrong_data_is_refused(model: Any, data: dict[str, Any], message: str) -> None:
    """The message says what to give."""
    with pytest.raises(ValueError, match=message):
        model.fit(**data, verbose=0)
