"""What a library computes on: `python -m bench.gpu_check.device ENGINE` prints it as JSON.

In a process of its own, for whoever asks a library takes a part of the card.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.gpu_check.child import ChildError, run_child

_PACKAGES = {
    "click": "click",
    "fastapi": "fastapi",
    "filelock": "filelock",
    "h5py": "h5py",
    "httptools": "httptools",
    "httpx2": "httpx2",
    "keras": "keras",
    "ml_dtypes": "ml-dtypes",
    "msgspec": "msgspec",
    "numpy": "numpy",
    "prometheus_client": "prometheus-client",
    "pydantic_settings": "pydantic-settings",
    "yaml": "pyyaml",
    "requests": "requests",
    "safetensors": "safetensors",
    "structlog": "structlog",
    "tokenizers": "tokenizers",
    "tqdm": "tqdm",
    "uvicorn": "uvicorn",
    "uvloop": "uvloop",
}
"""What a server needs, by the module that shows it is there."""

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


def find_devices(engines: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """Return what each engine runs on, and what is missing, a sentence each."""
    missing: list[str] = []
    devices: dict[str, Any] = {}
    for engine in engines:
        if find_spec(engine) is None:
            missing.append(f"{engine} is not installed: nothing of it is checked.")
            continue
        try:
            devices[engine] = run_child("bench.gpu_check.device", engine)
        except ChildError as error:
            missing.append(f"{engine} cannot be used: {error}.")
            continue
        if not devices[engine]["is_gpu"]:
            missing.append(f"{engine} sees no GPU: it runs on {devices[engine]['name']}.")
    return devices, missing


def find_missing_packages() -> list[str]:
    """Return what a server needs and is not installed."""
    return [package for module, package in _PACKAGES.items() if find_spec(module) is None]


def describe(engine: str) -> dict[str, Any]:
    """Return the version of a library and the device that it computes on."""
    if engine == "jax":
        import jax  # noqa: PLC0415

        device = jax.devices()[0]
        is_gpu = device.platform not in {"cpu", "tpu"}
        return {"version": jax.__version__, "name": device.device_kind, "is_gpu": is_gpu}
    import torch  # noqa: PLC0415

    is_gpu = torch.cuda.is_available()
    name = torch.cuda.get_device_name(0) if is_gpu else "cpu"
    return {"version": torch.__version__, "name": name, "is_gpu": is_gpu}


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as answer:
        print(json.dumps(describe(sys.argv[1])), file=answer)
