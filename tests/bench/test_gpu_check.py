"""The parts of `make gpu-check`, on the processor that is here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gpu_check.child import ChildError, run_child
from bench.gpu_check.device import find_devices
from bench.gpu_check.memory import read_processes, watched
from bench.gpu_check.parity import compare
from bench.gpu_check.results import CheckResults, write_check
from bench.gpu_check.serving import count_compilations, find_port, read_status, set_environment
from bench.shapes import TINY, make_presets
from contract.documents import ROOT
from model_store.checkpoints import read_checkpoint
from model_store.loading.proving.head_proof_file import read_proof
from without_tensorflow import hide_tensorflow

GOLDEN = [(0.50, 7), (0.49, 8), (0.001, 9)]


def test_equal_answers_hold_in_float32() -> None:
    """Scores may differ by 1e-4, ids and their order may not."""
    near = [(score + 9e-5, token) for score, token in GOLDEN]
    assert compare([near], [GOLDEN]).holds("float32")


@pytest.mark.parametrize(
    "wrong",
    [
        [(0.50, 8), (0.49, 7), (0.001, 9)],
        [(0.5002, 7), (0.49, 8), (0.001, 9)],
        [(float("nan"), 7), (0.49, 8), (0.001, 9)],
    ],
    ids=["order", "score", "no number"],
)
def test_other_answers_do_not_hold_in_float32(wrong: list[tuple[float, int]]) -> None:
    """One mask of many is enough."""
    assert not compare([GOLDEN, wrong], [GOLDEN, GOLDEN]).holds("float32")


def test_shorter_precisions_may_choose_among_near_ties() -> None:
    """0.50 and 0.49 are 0.02 nats apart."""
    assert compare([[(0.5, 8)]], [GOLDEN]).holds("bfloat16")


def test_shorter_precisions_must_keep_what_is_sure() -> None:
    """An unlikely word, or one that Transformers does not list, is no near tie."""
    for token in (9, 10):
        assert not compare([[(0.5, token)]], [GOLDEN]).holds("bfloat16")


def test_what_is_missing_is_a_sentence() -> None:
    """A library that is not there, and a GPU that is not, end nothing."""
    devices, missing = find_devices(("no_such_library",))
    assert devices == {}
    assert missing == ["no_such_library is not installed: nothing of it is checked."]


def test_failing_child_says_why() -> None:
    """The last line of what it wrote is the reason."""
    with pytest.raises(ChildError, match=r"No module named bench\.nothing"):
        run_child("bench.nothing")


def test_memory_of_a_session_is_that_of_its_processes() -> None:
    """A process that sleeps holds some, and the most that was seen is kept."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        assert read_processes(process.pid) > 0
        process.communicate(b"\n")
    readings = iter([1, 5])
    with watched(lambda: next(readings, 2)) as most:
        pass
    assert most == [5]


def test_compilations_are_counted_as_jax_tells_them() -> None:
    """JAX itself says so, in its own words."""
    script = "import jax; jax.jit(lambda x: x + 1)(1); jax.jit(lambda x: x + 2)(1)"
    told = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script],
        env=os.environ | {"JAX_LOG_COMPILES": "1", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert count_compilations(told.stderr) == 2


def test_nobody_who_listens_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a server that was measured do not stay for the next."""
    assert read_status(find_port()) is None
    monkeypatch.delenv("FILLMASK_WORKERS", raising=False)
    with set_environment({"FILLMASK_WORKERS": "4"}):
        assert os.environ["FILLMASK_WORKERS"] == "4"
    assert "FILLMASK_WORKERS" not in os.environ


def test_presets_are_made_without_pytorch(tmp_path: Path) -> None:
    """They have the sizes that they say, and a proof, for measuring only."""
    make_presets(tmp_path, (TINY,))
    assert read_checkpoint(tmp_path / TINY.name).config.hidden_dim == TINY.hidden_dim
    assert read_proof(tmp_path / TINY.name)


def test_failures_lead_the_entry() -> None:
    """What was not measured has no table, what failed has its sentence."""
    results = CheckResults(failures=["It is wrong."], missing=["It is not there."])
    entry = write_check(results, "python -m bench.gpu_check")
    assert ": accelerator check, 1 failed" in entry
    assert "- It is wrong.\n- It is not there." in entry
    assert "training" not in entry


@pytest.mark.slow
def test_whole_check_is_green_on_a_processor(tmp_path: Path) -> None:
    """All of it on JAX with small shapes, and without TensorFlow."""
    found = tmp_path / "found.json"
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "bench.gpu_check", "--small", "--engines=jax", f"--json={found}"],
        cwd=ROOT,
        env=hide_tensorflow(hidden, "jax"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(found.read_text("utf-8"))
    assert results["failures"] == []
    parts = ("parity", "servers", "training", "speeds")
    assert [len(results[part]) for part in parts] == [4, 2, 1, 2]
