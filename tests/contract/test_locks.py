"""The lock files hold what the packages import, and agree with each other."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contract.documents import ROOT, read
from lock_files import read_lock

PACKAGES = ("service", "model_store", "fillmask")
EXTRAS = {
    "run.txt": {"cpu"},
    "gpu.txt": {"gpu"},
    "bulk.txt": {"bulk"},
    "otel.txt": {"otel"},
    "ray.txt": {"ray"},
    "train.txt": {"train"},
}
"""The extras that a lock is made with."""

BRING_YOUR_OWN = {"jax", "torch"}
"""The runtimes that no lock holds: docs/engines.md tells people to install them."""

NOT_INSTALLED_HERE = {
    "matplotlib": ["matplotlib"],
    "pyarrow": ["pyarrow"],
    "tensorflow": ["tensorflow", "tensorflow-cpu"],
}
"""Who brings the modules that this environment lacks, or has from another package."""


@pytest.mark.parametrize("lock", EXTRAS)
def test_lock_holds_what_the_packages_import(lock: str) -> None:
    """Every module that any line imports, those of other extras and of brought runtimes apart."""
    held = set(read_lock(lock))
    elsewhere = set().union(*(extras()[name] for name in extras().keys() - EXTRAS[lock]))
    missing = {
        module
        for module, providers in imported().items()
        if module not in BRING_YOUR_OWN and not providers & (held | elsewhere)
    }
    assert missing == set()


@pytest.mark.parametrize("lock", EXTRAS)
def test_lock_holds_what_is_asked_for(lock: str) -> None:
    """Every dependency of the project and of the lock's extras."""
    asked = names(project()["dependencies"]).union(*(extras()[name] for name in EXTRAS[lock]))
    assert asked - set(read_lock(lock)) == set()


def test_every_import_is_asked_for() -> None:
    """Nothing but what comes with FastAPI and pydantic is imported without being a dependency."""
    asked = names(project()["dependencies"]).union(*extras().values())
    strays = {
        module
        for module, providers in imported().items()
        if module not in BRING_YOUR_OWN and not providers & asked
    }
    assert strays == {"pydantic_core", "starlette"}


@pytest.mark.parametrize(
    "lock", ["gpu.txt", "gpu-check.txt", "bulk.txt", "otel.txt", "ray.txt", "train.txt", "test.txt"]
)
def test_locks_agree(lock: str) -> None:
    """What is tested, and what is installed on top, has the versions that the server runs on."""
    ours, theirs = read_lock("run.txt"), read_lock(lock)
    assert {name: theirs[name] for name in ours.keys() & theirs} == {
        name: ours[name] for name in ours.keys() & theirs
    }


def test_what_is_carried_to_a_gpu_holds_no_runtime() -> None:
    """Every dependency but NumPy, which JAX and PyTorch bring; the runtimes are there already."""
    carried = set(read_lock("gpu-check.txt"))
    assert names(project()["dependencies"]) - carried == {"numpy"}
    assert carried & {"tensorflow", "tensorflow-cpu", "jax", "torch", "openvino"} == set()


def test_every_extra_has_its_lock() -> None:
    """None is without one that is held against the imports here, and made by `make lock`."""
    assert set().union(*EXTRAS.values()) == extras().keys()
    made = {word for word in read("Makefile").split() if word.startswith("requirements/")}
    assert {f"requirements/{lock}" for lock in EXTRAS} <= made


@pytest.mark.parametrize("lock", EXTRAS)
def test_documents_say_how_to_install(lock: str) -> None:
    """Every lock stands in a command of the documents."""
    said = "".join(
        map(read, ("docs/operations.md", "docs/training.md", "docs/bulk.md", "docs/ray.md"))
    )
    assert re.search(rf"pip install .*-r requirements/{lock}|`requirements/{lock}`", said)


def imported() -> dict[str, set[str]]:
    """Return the packages that bring each module imported anywhere, in functions too."""
    brought_by = packages_distributions() | NOT_INSTALLED_HERE
    modules = {
        name.split(".")[0]
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in list_imports(path)
    }
    modules -= {*sys.stdlib_module_names, *PACKAGES}
    assert modules
    return {
        module: {canonicalize_name(name) for name in brought_by.get(module, [])}
        for module in modules
    }


def list_imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def project() -> dict[str, list[str]]:
    """Return what pyproject.toml says of the project."""
    table: dict[str, list[str]] = tomllib.loads(read("pyproject.toml"))["project"]
    return table


def extras() -> dict[str, set[str]]:
    """Return what each extra asks for on this machine."""
    table = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    return {name: names(listed) for name, listed in table.items()}


def names(requirements: list[str]) -> set[str]:
    """Return the packages that requirements name on this machine."""
    read_ = [Requirement(requirement) for requirement in requirements]
    return {
        canonicalize_name(requirement.name)
        for requirement in read_
        if requirement.marker is None or requirement.marker.evaluate()
    }
