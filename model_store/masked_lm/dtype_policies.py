"""What a model computes in, as its config says it."""

from typing import Any

import keras


def describe_policy(model: Any) -> Any:
    """Return a model's dtype policy as Keras serialises one.

    Where layers were quantized it is a map: the policy of each of these, and the model's for the
    rest.
    """
    policy = model.dtype_policy
    if not isinstance(policy, keras.dtype_policies.DTypePolicyMap):
        layers = {
            layer.path: layer.dtype_policy
            for layer in model._flatten_layers()  # noqa: SLF001  # Keras has no public name for it
            if layer.quantization_mode is not None
        }
        if layers:
            policy = keras.dtype_policies.DTypePolicyMap(policy.name, layers)
    return keras.dtype_policies.serialize(policy)
