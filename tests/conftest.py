"""Fixtures that several folders share."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from model_store.fetching.catalog import EMBEDDED
from model_store.store import ModelStore
from tiny_checkpoints import forge_proof, write_transformers_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_hub import FakeHub

# How quickly examples are made and tried says how busy a machine is, and nothing of the code.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# What everybody must pass is the same for everybody; `make test-slow` looks for what nobody has.
settings.register_profile("same", settings.get_profile("any"), derandomize=True, database=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def tiny_preset_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cased checkpoint with random weights in Transformers' format, its proof forged."""
    directory = write_transformers_dir(tmp_path_factory.mktemp("store") / "tiny_cased")
    forge_proof(directory)
    return directory


@pytest.fixture(scope="session")
def embedded_preset_dir() -> Path:
    """The files of the preset that ships with the package."""
    directory = ModelStore().find(EMBEDDED).directory
    assert directory is not None
    return directory


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where converted models are kept: a conversion takes seconds."""
    return tmp_path_factory.getbasetemp() / "converted"


@pytest.fixture
def hub(tmp_path: Path) -> "Iterator[FakeHub]":
    """Return both hubs, empty, and lead the libraries of both to them."""
    from fake_hub import FakeHub  # noqa: PLC0415  # few folders need it
    from hub_fixtures import use_hub  # noqa: PLC0415  # imports a library that takes long

    with FakeHub() as hub, use_hub(hub, tmp_path / "home"):
        yield hub
