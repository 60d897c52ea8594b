"""What is marked runs where its marker says, and nowhere else."""

import re
import tomllib
from typing import Any

import pytest

from contract.documents import read

OPTIONS: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["tool"]["pytest"]["ini_options"]
MARKERS = dict(line.split(": ", 1) for line in OPTIONS["markers"])


def test_default_run_leaves_out_every_marker() -> None:
    """Each has a target of its own; a merge once brought KerasHub's tests back unseen."""
    chosen = OPTIONS["addopts"][OPTIONS["addopts"].index("-m") + 1]
    assert sorted(chosen.split(" and ")) == sorted(f"not {marker}" for marker in MARKERS)


@pytest.mark.parametrize("marker", MARKERS)
def test_target_that_a_marker_names_runs_it(marker: str) -> None:
    """Its recipe asks pytest for that marker."""
    named = re.search(r"\(make ([a-z-]+)\)$", MARKERS[marker])
    assert named, MARKERS[marker]
    [recipe] = re.findall(rf"^{named[1]}: .*##.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert re.search(rf"-m pytest (.* )?-m {marker}\b", recipe)
