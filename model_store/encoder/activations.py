"""The activations of Transformers' table (`ACT2FN`), on every backend of Keras.

Those that have weights of their own (`prelu`, `xielu`) are not among them.
"""

import math
from typing import Any

import keras
from keras import ops

_MU, _SIGMA = 0.707107, 0.282095


def activation(name: str) -> Any:
    """Return the Keras function for Transformers' name of an activation."""
    return _OWN.get(name) or keras.activations.get(name)


def gelu_tanh(x: Any) -> Any:
    """GELU by its tanh approximation (Hendrycks & Gimpel, 2016), `gelu_new` in Transformers."""
    return keras.activations.gelu(x, approximate=True)


def gelu_10(x: Any) -> Any:
    """GELU between -10 and 10 (Wu et al., 2020)."""
    return ops.clip(keras.activations.gelu(x, approximate=False), -10.0, 10.0)


def quick_gelu(x: Any) -> Any:
    """GELU by a sigmoid (Hendrycks & Gimpel, 2016)."""
    return x * ops.sigmoid(1.702 * x)


def leaky_relu(x: Any) -> Any:
    """ReLU with a slope of 0.01 below zero, PyTorch's default; Keras' is 0.2."""
    return ops.leaky_relu(x, negative_slope=0.01)


def laplace(x: Any) -> Any:
    """A squared ReLU's bounded likeness (Ma et al., 2022)."""
    return 0.5 * (1.0 + ops.erf((x - _MU) / (_SIGMA * math.sqrt(2.0))))


def relu2(x: Any) -> Any:
    """ReLU squared (So et al., 2021)."""
    return ops.square(ops.relu(x))


def sqrtsoftplus(x: Any) -> Any:
    """The square root of softplus."""
    return ops.sqrt(ops.softplus(x))


_OWN = {
    "gelu_new": gelu_tanh,
    "gelu_10": gelu_10,
    "quick_gelu": quick_gelu,
    "leaky_relu": leaky_relu,
    "laplace": laplace,
    "relu2": relu2,
    "sqrtsoftplus": sqrtsoftplus,
    "hardswish": keras.activations.hard_silu,
}
