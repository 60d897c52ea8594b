"""Every engine gives the same answers: the parity tests, on another backend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PARITY = ("tests/model_store/test_golden.py", "tests/model_store/test_fill_mask.py")


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
def test_parity_holds_on_another_backend(backend: str) -> None:
    """Keras takes one backend a process, so these run in a process of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PARITY]
    run = subprocess.run(  # noqa: S603  # our own command
        command,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


def test_a_backend_without_an_engine_is_refused() -> None:
    """The sentence names those that have one."""
    script = (
        "import keras; keras.config.backend = lambda: 'openvino'\n"
        "from model_store.engines import create_engine\n"
        "create_engine(None)"
    )
    run = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "'openvino' has no engine; use tensorflow, jax, torch." in run.stderr
