"""The list by which Serve routes follows the cache."""

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest

from service.processes.ray.held_models import HeldModels, name_revision


@pytest.fixture
def owner() -> Any:
    """Return a replica before Serve has made a list for it."""
    return SimpleNamespace()


@pytest.fixture
def held(owner: Any) -> HeldModels:
    """Return the list of a replica, which Serve makes when something is put on it."""

    async def announce(model_id: str) -> str:
        if not hasattr(owner, "__serve_multiplex_wrapper"):
            serves = SimpleNamespace(models=OrderedDict(), _push_multiplexed_replica_info=False)
            setattr(owner, "__serve_multiplex_wrapper", serves)
        serves = vars(owner)["__serve_multiplex_wrapper"]
        serves.models[model_id] = model_id
        return model_id

    return HeldModels(owner, announce)


async def test_list_is_what_the_cache_holds(owner: Any, held: HeldModels) -> None:
    """What has gone from there goes from here, and Serve hears of it."""
    await held.add("tiny")
    await held.set(["tiny", "other"])
    serves = vars(owner)["__serve_multiplex_wrapper"]
    assert list(serves.models) == ["tiny", "other"]
    assert not serves._push_multiplexed_replica_info
    await held.set(["other"])
    assert list(serves.models) == ["other"]
    assert serves._push_multiplexed_replica_info


async def test_empty_list_is_made_of_nothing(owner: Any, held: HeldModels) -> None:
    """Serve has none yet."""
    await held.set([])
    assert vars(owner) == {}


def test_revision_has_an_id_of_its_own() -> None:
    """Two versions of a preset are two models, where they read texts in different ways."""
    assert name_revision("tiny", b"\x01\xff") == "tiny@01ff"
