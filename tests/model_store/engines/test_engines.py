"""Every engine gives the same answers: the parity tests, on another backend."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_store.engines import EngineOptions
from model_store.errors import ModelLoadError
from model_store.loading.converted_models import open_converted
from model_store.loading.loader import load_fill_mask_model

ROOT = Path(__file__).parents[3]
PARITY = ("golden", "families", "fill_mask", "questions", "logits")
BY_DEFAULT = {"tensorflow": {"families"}}
"""What runs on a backend in every test run, for it asks for no engine but for that of Keras."""


@pytest.mark.parametrize(
    "backend",
    [
        "tensorflow",
        pytest.param("jax", marks=pytest.mark.slow),
        pytest.param("torch", marks=pytest.mark.torch),
    ],
)
def test_parity_holds_on_another_backend(backend: str) -> None:
    """Keras takes one backend a process, so these run in a process of their own."""
    names = [name for name in PARITY if name not in BY_DEFAULT.get(backend, ())]
    files = [f"tests/model_store/engines/test_{name}.py" for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    run = subprocess.run(  # noqa: S603  # our own command
        command,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "FILLMASK_ENGINE": backend},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "jax"}, "set KERAS_BACKEND=jax"),
        ({"name": "openvino", "precision": "float64"}, "has no float64 to compute in"),
    ],
)
def test_what_cannot_run_is_refused_in_a_sentence(
    tiny_preset_dir: Path, cache_dir: Path, options: dict[str, Any], sentence: str
) -> None:
    """It says what to set instead."""
    with pytest.raises(ModelLoadError, match=sentence):
        load_fill_mask_model(tiny_preset_dir, EngineOptions(**options, cache_directory=cache_dir))


def test_what_is_compiled_in_one_precision_serves_no_other(
    tiny_preset_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    """OpenVINO's own cache mixes them up: each has a directory of its own, and all of them run."""
    from model_store.engines.openvino import OpenVINOEngine, list_precisions  # noqa: PLC0415

    with open_converted(tiny_preset_dir, cache_dir) as converted:
        for precision in list_precisions():
            OpenVINOEngine(converted.directory / "model.xml", precision, tmp_path)
    compiled = {path.parent.name for path in tmp_path.rglob("*.blob")}
    assert compiled == set(list_precisions())
