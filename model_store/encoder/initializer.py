"""What weights are before they are trained."""

from typing import Any

import keras


def kernel_initializer() -> Any:
    """Return BERT's initializer: a normal distribution truncated at two deviations of 0.02."""
    return keras.initializers.TruncatedNormal(stddev=0.02)
