"""What the server's user may not read is that preset's failure, and in no other one's way.

Tests may run as root, whom no permission binds: what is tested runs in a process that gives that
up first.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from model_store.fetching.catalog import EMBEDDED, read_catalog

BOUND = """
import json, os, sys
from importlib.metadata import version
from pathlib import Path
from model_store.fetching import resolver
from model_store import store
from model_store.engines import EngineOptions, openvino
from model_store.errors import ModelStoreError
# What is imported when it is first needed may lie where that other user cannot look.
[preset.read_proof() for preset in store.ModelStore().presets()]
openvino.list_precisions()
version("keras")
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
"""
LOOK = """
directory = Path(sys.argv[1])
options = EngineOptions(cache_directory=directory / "cache")
found = store.ModelStore(directory, offline=True, engine=options)
def ask(call, *args):
    try:
        return str(call(*args))
    except ModelStoreError as error:
        return f"{type(error).__name__}: {error}"
print(json.dumps({
    "presets": {p.name: p.unreadable for p in found.presets()},
    "problem": found.problem(),
    "proofs": [p.read_proof() is not None for p in found.presets() if p.name == %r],
    "load": {name: ask(found.load, name) for name in sys.argv[2:]},
    "pull": {name: ask(lambda: resolver.resolve(name, directory=directory, offline=True))
             for name in sys.argv[2:]},
}))
"""


@pytest.fixture
def store() -> Iterator[Path]:
    """Return a store with one good directory, and one for a test to shut."""
    # Not pytest's own, which only its owner may enter.
    with TemporaryDirectory() as directory:
        store = Path(directory)
        store.chmod(0o755)
        for name in ("good", "shut", "bert_base_en"):
            (store / name).mkdir()
            (store / name / "config.json").write_text("{}")
        yield store
        for path in (store, *store.iterdir()):
            path.chmod(0o755)


@pytest.mark.parametrize("mode", [0o000, 0o644])
def test_directory_that_cannot_be_entered_is_its_own_failure(store: Path, mode: int) -> None:
    """The others are as they were, the embedded one too."""
    (store / "shut").chmod(mode)
    seen = look(store, "shut")
    assert set(seen["presets"]) == {*read_catalog(), "good", "shut"}
    reasons = {name: reason for name, reason in seen["presets"].items() if reason}
    assert list(reasons) == ["shut"]
    assert "Permission denied" in reasons["shut"]
    assert "give the user of the server access" in reasons["shut"]
    assert seen["proofs"] == [True]
    assert seen["problem"] is None
    assert seen["load"]["shut"] == f"ModelLoadError: {reasons['shut']}"


def test_directory_of_a_catalogued_name_that_cannot_be_entered_is_not_pulled_over(
    store: Path,
) -> None:
    """Its files may well be there."""
    (store / "bert_base_en").chmod(0o000)
    seen = look(store, "bert_base_en")
    assert "Permission denied" in seen["presets"]["bert_base_en"]
    assert seen["load"]["bert_base_en"].startswith("ModelLoadError: ")
    assert seen["pull"]["bert_base_en"].startswith("ModelLoadError: ")


@pytest.mark.parametrize("name", ["config.json", "source.json"])
def test_file_that_cannot_be_read_is_named(store: Path, name: str) -> None:
    """As a sentence, and not as an error of the system."""
    (store / "shut" / name).write_text("{}")
    (store / "shut" / name).chmod(0o000)
    seen = look(store, "shut")
    assert seen["load"]["shut"].startswith("ModelLoadError: ")
    assert name in seen["load"]["shut"]


@pytest.mark.parametrize("mode", [0o000, 0o644])
def test_store_that_cannot_be_entered_leaves_the_embedded_preset(store: Path, mode: int) -> None:
    """All that could be in it says why it is not to be had."""
    store.chmod(mode)
    seen = look(store, "bert_base_en", "good")
    presets = seen["presets"]
    assert presets[EMBEDDED] is None
    if mode == 0:
        assert "Permission denied" in seen["problem"]
        assert "Permission denied" in presets["bert_base_en"]
    assert "Permission denied" in seen["load"]["bert_base_en"]
    assert "Permission denied" in seen["load"]["good"]
    assert "Permission denied" in seen["pull"]["bert_base_en"]


def look(store: Path, *names: str) -> dict[str, Any]:
    """Look at a store, load and pull presets of it, as somebody whom permissions bind."""
    run = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", BOUND + LOOK % EMBEDDED, str(store), *names],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen
