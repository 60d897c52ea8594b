"""Engines: one file a runtime. Each imports its own runtime, so only the chosen one is loaded.

Lives here: batches and shapes, one file a runtime, and the model that answers. Knows networks and
encodings. Does not know files of presets, queues or HTTP.
"""

from pathlib import Path

from model_store.engines.engine import Engine, EngineName, EngineOptions, Precision

__all__ = ["ACCELERATORS", "Engine", "EngineName", "EngineOptions", "Precision", "is_for_openvino"]

ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd", "/dev/accel0")
"""What a driver of NVIDIA, AMD or a TPU makes; to ask a runtime would import it."""


def is_for_openvino(name: EngineName) -> bool:
    """Say whether a name means OpenVINO: its own, or `auto` on a machine without an accelerator."""
    if name == "auto":
        return not any(Path(device).exists() for device in ACCELERATORS)
    return name == "openvino"
