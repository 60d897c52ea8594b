"""What Keras has for every model works on this one: callbacks, compilers, policies, exports."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from fillmask import BertBackbone, BertMaskedLM, BertMaskedLMPreprocessor, BertTokenizer
from keras_hub_suite.model_cases import MASKED
from keras_hub_suite.tokenizer_cases import ALL, TEXTS, VOCABULARY

pytestmark = [pytest.mark.keras_hub, pytest.mark.filterwarnings("default")]


def make_model(**options: Any) -> Any:
    """Return a very small model that trains on texts."""
    preprocessor = BertMaskedLMPreprocessor(BertTokenizer(VOCABULARY), **ALL)
    backbone = BertBackbone(14, 1, 2, 8, 12, max_sequence_length=16, **options)
    return BertMaskedLM(backbone, preprocessor)


def test_callbacks_are_called(tmp_path: Path) -> None:
    """Checkpoints that load again, and an early stop."""
    model = make_model()
    callbacks = [
        keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), save_best_only=True),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "a.weights.h5"), save_weights_only=True),
        keras.callbacks.EarlyStopping(patience=0, min_delta=1e9),
    ]
    options = {"validation_data": TEXTS, "callbacks": callbacks, "verbose": 0}
    history = model.fit(TEXTS, epochs=9, **options).history
    assert len(history["val_loss"]) == 2
    assert type(keras.models.load_model(tmp_path / "best.keras")) is BertMaskedLM
    again = make_model()
    again.load_weights(tmp_path / "a.weights.h5")
    logits = keras.ops.convert_to_numpy(model(MASKED))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(again(MASKED)), logits, atol=1e-6)


def test_xla_compiles_the_training() -> None:
    """With `jit_compile=True`, as the documentation has it."""
    model = make_model()
    model.compile(jit_compile=True)
    assert np.isfinite(model.fit(TEXTS, verbose=0).history["loss"][0])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_a_policy_for_all_is_taken(policy: str) -> None:
    """The one that Keras is set to, by a loss-scaling optimizer where it needs one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = make_model()
    finally:
        keras.config.set_dtype_policy(before)
    assert model.backbone.dtype_policy.name == policy
    assert np.isfinite(model.fit(TEXTS, verbose=0).history["loss"][0])


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="Keras distributes on JAX alone")
def test_data_is_distributed() -> None:
    """`DataParallel` over the devices that there are."""
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        model = make_model()
        assert np.isfinite(model.fit(TEXTS, verbose=0).history["loss"][0])
    finally:
        keras.distribution.set_distribution(None)


def test_a_saved_model_of_tensorflow_answers_the_same(tmp_path: Path) -> None:
    """`export` writes it on both backends; on JAX the inputs' common length must be named."""
    model = make_model()
    signature = [
        {name: keras.InputSpec(shape=array.shape, dtype="int32") for name, array in MASKED.items()}
    ]
    fixed = {"input_signature": signature} if keras.backend.backend() == "jax" else {}
    model.export(str(tmp_path / "exported"), verbose=False, **fixed)
    served = tf.saved_model.load(str(tmp_path / "exported"))
    batch = {name: tf.constant(array, tf.int32) for name, array in MASKED.items()}
    expected = keras.ops.convert_to_numpy(model(MASKED))
    np.testing.assert_allclose(served.serve(batch).numpy(), expected, atol=1e-5)
