"""What only the JAX engine has to see to."""

import os
import subprocess
import sys
from pathlib import Path

from contract.documents import ROOT

_SCRIPT = """
import sys
import jax, jax.numpy as jnp
from bench.cloze import embedded
from bench.engine_worker import UntunedEngine

array = jnp.ones((1, 32), "int32")
exact = "precision=(Precision.HIGHEST, Precision.HIGHEST)"
for precision in sys.argv[1:]:
    engine = UntunedEngine(embedded(), "jax", precision)._model._engine
    program = str(jax.make_jaxpr(engine._encode)(array, array, array, array))
    print(program.count("dot_general["), program.count(exact))
"""

_QUESTIONS = """
import sys
from dataclasses import replace
from pathlib import Path
import jax, numpy as np
from model_store.checkpoints import read_checkpoint
from model_store.loading.keras_loader import find_engine, make_model
from model_store.text.encoding import TextLimits
from model_store.text.questions import Filtered, Ranked, Sparse

compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
)
model = make_model(read_checkpoint(Path(sys.argv[1])), find_engine("jax"), "float32")
model.warm_up(max_texts=4, max_tokens=64)
before = len(compiled)
ids = np.arange(3, dtype=np.int32)
limits = TextLimits()
texts = [model.encode(text, top_k=9, targets=None, limits=limits) for text in ("a [MASK].",) * 3]
texts = [
    replace(texts[0], question=Ranked(ids, np.zeros(2, np.float32))),
    replace(texts[1], question=Filtered(9, True, True, ids)),
    model.encode_tokens("the night and the day " * 10, Sparse(), limits, truncate=True),
    texts[2],
]
model.predict(texts)
for text in texts:
    model.predict([text])
print(before, len(compiled) - before)
"""


def test_questions_compile_nothing_after_the_warm_up(tiny_preset_dir: Path) -> None:
    """Their logits are what every program returns; they are only brought to the host."""
    before, after = map(int, run_script(_QUESTIONS, str(tiny_preset_dir)).split())
    assert before > 0
    assert after == 0


def test_products_are_computed_in_what_is_promised() -> None:
    """By itself JAX rounds float32 to ten bits on a GPU; no processor shows it, but the program."""
    float32, bfloat16 = run_script(_SCRIPT, "float32", "bfloat16").splitlines()
    products, exact = map(int, float32.split())
    assert exact == products > 0
    products, exact = map(int, bfloat16.split())
    assert products > exact == 0


def run_script(script: str, *args: str) -> str:
    """Return what a script prints that runs on JAX."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script, *args],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
