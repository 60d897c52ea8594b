"""The weights of a Keras model as checkpoints have them: by path, merged, never quantized."""

from typing import Any

import keras

from model_store.checkpoints import Variables
from model_store.masked_lm.lora import merge

_GIB = 1024**3


def read_weights(model: Any) -> Variables:
    """Return the weights by path; what was adapted by LoRA is merged, as KerasHub does.

    Raises:
        ValueError: the model is quantized, and no checkpoint format has words for that.
    """
    skipped: set[int] = set()
    merged: dict[int, Any] = {}
    for layer in model._flatten_layers():  # noqa: SLF001  # Keras has no public name for it
        if layer.quantization_mode is not None:
            message = (
                f"The model is quantized to {layer.quantization_mode}, which no preset can hold; "
                "save the preset before quantize(), or save a .keras file."
            )
            raise ValueError(message)
        if getattr(layer, "lora_enabled", False):
            variable, value = merge(layer)
            merged[id(variable)] = value
            skipped |= {id(weight) for weight in layer.weights if "lora_" in weight.name}
    return {
        weight.path: merged[id(weight)]
        if id(weight) in merged
        else keras.ops.convert_to_numpy(weight.value)
        for weight in model.weights
        if id(weight) not in skipped
    }


def assign_weights(model: Any, variables: Variables) -> None:
    """Give every weight of a model its value from a checkpoint."""
    for weight in model.weights:
        weight.assign(variables[weight.path])


def require_one_file(variables: Variables, max_shard_size: float | None) -> None:
    """Check that the weights fit the file that they are written to.

    Raises:
        ValueError: they are larger than `max_shard_size` GB.
    """
    size = sum(array.nbytes for array in variables.values()) / _GIB
    if max_shard_size is not None and size > max_shard_size:
        message = (
            f"The weights take {size:.2g} GB and are written to one file; "
            f"give a max_shard_size of more than {max_shard_size}."
        )
        raise ValueError(message)
