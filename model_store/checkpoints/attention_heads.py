"""KerasHub keeps the projections of attention with an axis for the heads; ours has joined them.

query, key, value    kernel [hidden_dim, heads, head_dim], bias [heads, head_dim]
attention_output     kernel [heads, head_dim, hidden_dim]
"""

from model_store.checkpoints.checkpoint import Array

_KERNEL_AXES = 3
_BIAS_AXES = 2


def join_heads(path: str, array: Array) -> Array:
    """Return the array of a dataset in the shape of our variable.

    What has another number of axes is left as it is: its shape is held against the config later.
    """
    part, variable = _split(path)
    axes, shape = array.ndim, array.shape
    if part in {"query", "key", "value"}:
        if variable == "kernel" and axes == _KERNEL_AXES:
            return array.reshape(shape[0], shape[1] * shape[2])
        if variable == "bias" and axes == _BIAS_AXES:
            return array.reshape(shape[0] * shape[1])
    if part == "attention_output" and variable == "kernel" and axes == _KERNEL_AXES:
        return array.reshape(shape[0] * shape[1], shape[2])
    return array


def split_heads(path: str, array: Array, num_heads: int) -> Array:
    """Return a variable in the shape of its dataset; the inverse of `join_heads`."""
    part, variable = _split(path)
    if part in {"query", "key", "value"}:
        return array.reshape(*array.shape[:-1], num_heads, array.shape[-1] // num_heads)
    if part == "attention_output" and variable == "kernel":
        return array.reshape(num_heads, array.shape[0] // num_heads, array.shape[1])
    return array


def _split(path: str) -> tuple[str, str]:
    """Return the last two names of a path: the layer and its variable."""
    part, _, variable = path.rpartition("/")
    return part.rpartition("/")[2], variable
