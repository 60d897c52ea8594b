"""What runs on JAX or PyTorch never imports TensorFlow: a machine with a GPU may lack it."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from contract.documents import ROOT
from without_tensorflow import hide_tensorflow

_SCRIPT = """
import importlib, pkgutil, sys
try:
    import tensorflow
except ImportError:
    pass
else:
    sys.exit("TensorFlow is not hidden")

import bench, fillmask, model_store, service

# These are of another runtime, or run when they are imported.
LEFT_OUT = {
    "model_store.engines.tensorflow", "model_store.engines.openvino",
    "model_store.engines.openvino_conversion", "model_store.engines.torch",
    "model_store.engines.jax",
}
for package in (service, model_store, fillmask):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name not in LEFT_OUT and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
for name in ("plan", "parity", "training", "serving", "check", "results", "__main__"):
    importlib.import_module("bench.gpu_check." + name)
importlib.import_module("model_store.engines." + sys.argv[1])

from pathlib import Path
from bench.cloze import embedded, guess
from model_store.engines import EngineOptions
from bench.engine_worker import UntunedEngine
from bench.gpu_check.parity import ask

engine = UntunedEngine(embedded(), sys.argv[1], "float32")
first = ask(engine, ["The capital of France is [MASK]."])[0]
assert len(first) == 5 and 0 < first[0][0] <= 1, first
assert "tensorflow" not in sys.modules
"""


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
def test_everything_is_imported_and_a_mask_filled_without_tensorflow(
    backend: str, tmp_path: Path
) -> None:
    """Every module of the service, the library and the check, and an engine that answers."""
    assert find_spec(backend)
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", _SCRIPT, backend],
        cwd=ROOT,
        env=hide_tensorflow(tmp_path, backend),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
