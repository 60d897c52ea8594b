"""Texts in every kind of container, endless ones too, and a sentence for what is none."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_store.masked_lm.families.bert import (
    BertBackbone,
    BertMaskedLM,
    BertMaskedLMPreprocessor,
    BertTokenizer,
)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "came", "home"]
TEXTS = ["the cat came home", "the dog came home", "the cat came", "home the dog"]
FEATURES = {
    "token_ids": np.array([[2, 4, 6, 3]] * 2),
    "padding_mask": np.array([[1, 1, 1, 1]] * 2),
    "mask_positions": np.array([[1]] * 2),
    "segment_ids": np.array([[0, 0, 0, 0]] * 2),
}


def make_model(*, preprocessor: bool = True, **options: Any) -> Any:
    """Return a very small model, with a preprocessor whose masks are few."""
    tokenizer = BertTokenizer(VOCABULARY, lowercase=True)
    made = BertMaskedLMPreprocessor(
        tokenizer, 8, mask_selection_rate=1.0, mask_selection_length=3, seed=0
    )
    backbone = BertBackbone(10, 1, 1, 4, 4, max_sequence_length=8, **options)
    return BertMaskedLM(backbone, made if preprocessor else None)


@pytest.fixture(scope="module")
def model() -> Any:
    """A model that learns without graphs: making them takes longer than these trainings."""
    model = make_model()
    model.compile(run_eagerly=True)
    return model


def dataset() -> Any:
    """Return two batches of two texts."""
    return tf.data.Dataset.from_tensor_slices(TEXTS).batch(2)


class Counter(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the number of every batch that is trained on."""

    def __init__(self, seen: list[int]) -> None:
        """Take the list to note in."""
        super().__init__()
        self.seen = seen

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note a batch."""
        del logs
        self.seen.append(batch)


class Endless:
    """Batches without an end, that can be gone through again, and do not know how many they are."""

    def __iter__(self) -> Iterator[list[str]]:
        """Begin anew."""
        while True:
            yield TEXTS[:2]


@pytest.mark.parametrize("make", [lambda: dataset().repeat(), Endless, lambda: iter(Endless())])
def test_endless_data_is_taken_for_as_long_as_is_asked(model: Any, make: Any) -> None:
    """Epochs and steps are counted by Keras."""
    seen: list[int] = []
    model.fit(make(), steps_per_epoch=2, epochs=2, verbose=0, callbacks=[Counter(seen)])
    assert seen == [0, 1, 0, 1]
    assert model.predict(make(), steps=3, verbose=0).shape == (6, 3, 10)
    assert len(model.evaluate(make(), steps=1, verbose=0)) == 2


def test_endless_validation_data_is_taken(model: Any) -> None:
    """With its own count of steps."""
    options = {"verbose": 0, "validation_steps": 2}
    for data in (dataset().repeat(), Endless()):
        history = model.fit(TEXTS, validation_data=data, **options).history
        assert "val_loss" in history


@pytest.mark.parametrize(
    "data", [TEXTS, (TEXTS,), np.array(TEXTS), ((TEXTS, TEXTS),), dataset(), (dataset(),)]
)
def test_texts_validate_in_every_container(model: Any, data: Any) -> None:
    """A list of texts, and a tuple of it, as Keras has it."""
    assert "val_loss" in model.fit(TEXTS, validation_data=data, verbose=0).history


def test_single_batches_of_texts_are_taken(model: Any) -> None:
    """Training, measuring and predicting them."""
    assert len(model.train_on_batch(TEXTS)) == 2
    assert set(model.test_on_batch(np.array(TEXTS), return_dict=True)) == {
        "loss",
        "sparse_categorical_accuracy",
    }
    assert model.predict_on_batch((TEXTS, TEXTS)).shape == (4, 3, 10)


def test_lists_of_numbers_are_taken_without_a_preprocessor() -> None:
    """Labels as a list beside a dict of features: Keras' documentation has it like this."""
    model = make_model(preprocessor=False)
    model.compile(run_eagerly=True)
    labels = [[5]] * 2
    listed = {name: array.tolist() for name, array in FEATURES.items()}
    for x in (FEATURES, listed):
        model.fit(x=x, y=labels, batch_size=2, verbose=0)
        assert len(model.evaluate(x, labels, sample_weight=[[1.0]] * 2, verbose=0)) == 2
        assert model.predict(x, verbose=0).shape == (2, 1, 10)
        assert len(model.train_on_batch(x, labels)) == 2
        assert model.predict_on_batch(x).shape == (2, 1, 10)


def test_the_preprocessor_runs_inside_of_tf_data(model: Any) -> None:
    """Single texts, batches and pairs; and the shapes are known before a text is read."""
    preprocessor = model.preprocessor
    single = tf.data.Dataset.from_tensor_slices(TEXTS).map(preprocessor)
    features, labels, weights = single.element_spec
    assert features["token_ids"].shape == (8,)
    assert labels.shape == weights.shape == (3,)
    mapped = dataset().map(preprocessor, num_parallel_calls=tf.data.AUTOTUNE)
    assert mapped.element_spec[0]["mask_positions"].shape.as_list() == [None, 3]
    pairs = tf.data.Dataset.from_tensor_slices((TEXTS, TEXTS)).batch(2)
    for made in (
        pairs.map(lambda first, second: preprocessor(x=(first, second))),
        pairs.map(preprocessor),
    ):
        features = next(iter(made))[0]
        assert features["segment_ids"].numpy().max() == 1
    without = make_model(preprocessor=False)
    without.compile(run_eagerly=True)
    without.fit(mapped, verbose=0)


def test_masks_inside_of_tf_data_differ_between_epochs(model: Any) -> None:
    """The graph calls the same masker again."""
    wide = BertMaskedLMPreprocessor(model.preprocessor.tokenizer, 8, mask_selection_rate=0.5)
    mapped = tf.data.Dataset.from_tensors(TEXTS * 8).map(wide)
    first, second = (next(iter(mapped))[0]["token_ids"].numpy() for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tf.data.Dataset.from_tensor_slices(TEXTS), r"give batches of texts: dataset\.batch"),
        (iter(TEXTS), "give batches of texts"),
        (list(zip(TEXTS, TEXTS, strict=True)), "give batches of texts"),
        ([list(zip(TEXTS, TEXTS, strict=True))], "give a pair of lists"),
        (tf.data.Dataset.from_tensor_slices(FEATURES).batch(2), "preprocessor to None"),
        (tf.data.Dataset.from_tensor_slices([1, 2]).batch(2), "more than texts"),
        (np.array([1, 2]), "give strings"),
        (7, "give a list of strings"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_what_is_no_batch_of_texts_is_refused(
    model: Any, data: Any, message: str, method: str
) -> None:
    """One sentence says what to pass."""
    if isinstance(data, Iterator):
        data = iter(TEXTS)
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(data, verbose=0)


@pytest.mark.parametrize("bad", [len, "words", keras.layers.Lambda(lambda x: x)])
def test_what_is_no_preprocessor_is_refused(model: Any, bad: Any) -> None:
    """At once, and not deep inside of a training."""
    with pytest.raises(ValueError, match=r"give a fillmask\.BertMaskedLMPreprocessor, or None"):
        BertMaskedLM(model.backbone, bad)
    with pytest.raises(ValueError, match=r"give a fillmask\.BertMaskedLMPreprocessor, or None"):
        model.preprocessor = bad


def test_a_call_takes_no_texts(model: Any) -> None:
    """It says what takes them, as KerasHub does."""
    for texts in (TEXTS, np.array(TEXTS), tf.constant(TEXTS)):
        with pytest.raises(ValueError, match=r"give model\.preprocessor"):
            model(texts)


def test_parts_are_held_against_each_other(model: Any) -> None:
    """Rows longer than the backbone takes, and more entries than it has rows."""
    tokenizer = model.preprocessor.tokenizer
    with pytest.raises(ValueError, match="rows of 9 tokens and the backbone takes 8"):
        model.preprocessor = BertMaskedLMPreprocessor(tokenizer, 9)
    larger = BertTokenizer([*VOCABULARY, "more"])
    with pytest.raises(ValueError, match="11 entries and the backbone 10"):
        BertMaskedLM(model.backbone, BertMaskedLMPreprocessor(larger, 8))


def test_the_preprocessor_is_none_of_the_layers(model: Any) -> None:
    """Nothing of it is trained, counted or drawn."""
    assert {type(layer).__name__ for layer in model.layers} == {
        "InputLayer",
        "BertBackbone",
        "MaskedLMHead",
    }
