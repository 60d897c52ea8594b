"""Engines: one file a runtime. Each imports its own runtime, so only the chosen one is loaded."""

from importlib.util import find_spec
from pathlib import Path

from model_store.engines.engine import Engine, EngineName, EngineOptions, Precision

__all__ = ["Engine", "EngineName", "EngineOptions", "Precision", "choose_engine"]

_ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd", "/dev/accel0")
"""What a driver of NVIDIA, AMD or a TPU makes; to ask a runtime would import it."""


def choose_engine(name: EngineName, keras_backend: str = "tensorflow") -> EngineName:
    """Return the engine that `auto` stands for, and any other name as it is.

    Args:
        name: what is asked for.
        keras_backend: what Keras runs on, for machines with an accelerator or without OpenVINO.
    """
    if name != "auto":
        return name
    if find_spec("openvino") and not any(Path(device).exists() for device in _ACCELERATORS):
        return "openvino"
    return keras_backend  # type: ignore[return-value]  # refused later where there is no such engine
