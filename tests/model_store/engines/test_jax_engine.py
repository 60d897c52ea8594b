"""What only the JAX engine has to see to."""

import os
import subprocess
import sys

import pytest

from contract.documents import ROOT

_SCRIPT = """
import sys
import jax, jax.numpy as jnp
from bench.cloze import embedded
from bench.engine_worker import UntunedEngine

engine = UntunedEngine(embedded(), "jax", sys.argv[1])._model._engine
array = jnp.ones((1, 32), "int32")
program = str(jax.make_jaxpr(engine._encode)(array, array, array, array))
exact = "precision=(Precision.HIGHEST, Precision.HIGHEST)"
print(program.count("dot_general["), program.count(exact))
"""


@pytest.mark.parametrize(("precision", "is_exact"), [("float32", True), ("bfloat16", False)])
def test_products_are_computed_in_what_is_promised(precision: str, is_exact: bool) -> None:
    """By itself JAX rounds float32 to ten bits on a GPU; no processor shows it, but the program."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", _SCRIPT, precision],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    products, exact = map(int, done.stdout.split())
    assert products > 0
    assert exact == (products if is_exact else 0)
