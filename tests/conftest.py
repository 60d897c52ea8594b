"""Fixtures that several folders share."""

from pathlib import Path

import pytest

from model_store.catalog import EMBEDDED
from model_store.store import ModelStore
from tiny_checkpoints import write_transformers_dir


@pytest.fixture(scope="session")
def tiny_preset_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cased checkpoint in Transformers' format."""
    return write_transformers_dir(tmp_path_factory.mktemp("store") / "tiny_cased")


@pytest.fixture(scope="session")
def embedded_preset_dir() -> Path:
    """The files of the preset that ships with the package."""
    directory = ModelStore().find(EMBEDDED).directory
    assert directory is not None
    return directory
