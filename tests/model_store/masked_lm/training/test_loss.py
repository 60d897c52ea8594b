"""The loss is Keras' own, made in fewer passes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_store.masked_lm.training.loss import MaskedCrossEntropy


@pytest.mark.parametrize("scale", [1.0, 1e4], ids=["usual logits", "logits whose exp overflows"])
def test_loss_and_gradient_are_those_of_keras(scale: float) -> None:
    """Over the masks alone: slots without one weigh nothing."""
    rng = np.random.default_rng(0)
    logits = tf.constant(rng.standard_normal((4, 5, 30)) * scale, tf.float32)
    labels, weights = rng.integers(30, size=(4, 5)), rng.integers(2, size=(4, 5)).astype("float32")
    theirs = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    losses, gradients = [], []
    for loss in (MaskedCrossEntropy(), theirs):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(labels, logits, sample_weight=weights)
        losses.append(float(value))
        gradients.append(tape.gradient(value, logits).numpy())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert np.allclose(gradients[0], gradients[1], atol=1e-6)
