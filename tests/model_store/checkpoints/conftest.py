"""Presets that KerasHub writes, once for all tests of them."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from keras_families import Presets


@pytest.fixture(scope="session")
def keras_presets(tmp_path_factory: pytest.TempPathFactory) -> "Presets":
    """The preset of each family, and KerasHub's model of it."""
    from keras_families import CASES, write_case  # noqa: PLC0415  # KerasHub takes seconds

    root = tmp_path_factory.mktemp("keras")
    return {name: (root / name, write_case(name, root / name)) for name in CASES}


@pytest.fixture
def keras_copy(request: pytest.FixtureRequest, keras_presets: "Presets", tmp_path: Path) -> Path:
    """A copy of the preset of the case that a test is for, free to be changed."""
    return Path(shutil.copytree(keras_presets[request.param][0], tmp_path / "copy"))
