"""The OpenVINO engine computes in the precision that it was asked for, also from its cache."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_store.engines import EngineOptions, Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.engines.openvino import OpenVINOEngine, list_precisions
from model_store.loading.converted_models import open_converted
from model_store.loading.loader import load_fill_mask_model
from model_store.text.encoding import TextLimits


@pytest.mark.parametrize("precision", list_precisions())
def test_answers_from_the_cache_are_those_of_the_precision(
    embedded_preset_dir: Path, cache_dir: Path, tmp_path: Path, precision: Precision
) -> None:
    """What was compiled for another one is never taken for it."""
    options = EngineOptions("openvino", "float32", cache_dir)
    reference = load_fill_mask_model(embedded_preset_dir, options)

    def answer(cache: Path | None) -> list[float]:
        engine = OpenVINOEngine(converted.directory / "model.xml", precision, cache)
        model = FillMaskModel(engine, reference._tokenizer, reference.facts)
        text = "The capital of France is [MASK]."
        encoding = model.encode(text, top_k=5, targets=None, limits=TextLimits())
        [[mask]] = model.predict([encoding])
        scores: list[float] = mask.log_probabilities.tolist()
        return scores

    with open_converted(embedded_preset_dir, cache_dir) as converted:
        for other in list_precisions():
            OpenVINOEngine(converted.directory / "model.xml", other, tmp_path)
        assert answer(tmp_path) == answer(None)


def test_threads_keep_their_signal_stacks(embedded_preset_dir: Path, cache_dir: Path) -> None:
    """The plugin's own is small, and the next signal finds it gone when the plugin is."""
    script = """
import ctypes, pathlib, sys
from model_store.engines.openvino import OpenVINOEngine

class Stack(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def signal_stack():
    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.base, stack.flags, stack.size

before = signal_stack()
engine = OpenVINOEngine(pathlib.Path(sys.argv[1]), "float32")
assert signal_stack() == before, "another signal stack"
"""
    load_fill_mask_model(embedded_preset_dir, EngineOptions("openvino", "float32", cache_dir))
    with open_converted(embedded_preset_dir, cache_dir) as converted:
        model = converted.directory / "model.xml"
        command = [sys.executable, "-X", "faulthandler", "-c", script, str(model)]
        subprocess.run(command, check=True)  # noqa: S603
