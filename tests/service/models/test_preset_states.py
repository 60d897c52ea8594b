"""How every preset stands: the store's list, joined with what the cache holds."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes import FakeStore, make_preset
from model_store.store import Preset
from service.models.model_cache import ModelCache
from service.models.preset_info import PresetInfo
from service.models.preset_states import PresetStates
from service.models.served_model import ServedModel, ServedModelLoader
from service.scheduling.batch_records import BatchLimits


@pytest.fixture
async def models(store: FakeStore) -> AsyncIterator[ModelCache[ServedModel]]:
    """Return a cache of the store's models."""
    with ThreadPoolExecutor(1) as thread:
        loader = ServedModelLoader(
            store,
            engine_thread=thread,
            loader_thread=thread,
            limits=lambda _: BatchLimits(4, 1000, 10),
            max_bytes=1000,
            observe=lambda _: None,
        )
        models: ModelCache[ServedModel] = ModelCache(loader.load, max_models=2, max_bytes=1000)
        yield models
        await models.close()


async def describe(store: FakeStore, models: ModelCache[ServedModel]) -> dict[str, PresetInfo]:
    """Return what is said of every preset."""
    infos = await PresetStates(store, models).describe_all()
    return {info.name: info for info in infos}


async def test_loaded_model_knows_its_own_size(
    store: FakeStore, models: ModelCache[ServedModel]
) -> None:
    """What was counted is better than what was listed."""
    store.sizes["tiny"] = 400
    async with models.lease("tiny"):
        pass
    assert (await describe(store, models))["tiny"].parameters == 100


async def test_family_is_told_by_the_files_until_a_model_is_loaded(
    models: ModelCache[ServedModel], tmp_path: Path
) -> None:
    """Their config alone is read, and goes before what the catalogue says."""
    (tmp_path / "config.json").write_text('{"model_type": "camembert"}')
    listed = [
        Preset("tiny", "", None, "directory", tmp_path, family="esm"),
        Preset("other", "", None, "somewhere", None, family="esm"),
        Preset("third", "", None, "directory", None),
    ]
    store = FakeStore(listed)
    told = {name: info.family for name, info in (await describe(store, models)).items()}
    assert told == {"tiny": "roberta", "other": "esm", "third": None}


async def test_model_knows_its_family_when_its_files_are_gone(
    models: ModelCache[ServedModel],
) -> None:
    """It was read with its weights."""
    async with models.lease("tiny"):
        pass
    assert (await describe(FakeStore(), models))["tiny"].family == "bert"


async def test_preset_without_a_head_is_missing_it(models: ModelCache[ServedModel]) -> None:
    """A preset that can never fill a mask says so."""
    store = FakeStore([make_preset("classifier", no_head="no head")])
    info = (await describe(store, models))["classifier"]
    assert (info.head, info.error) == ("missing", "no head")


async def test_files_of_the_caller_may_have_a_head(models: ModelCache[ServedModel]) -> None:
    """What the catalogue says of its own files is not said of others under that name."""
    preset = Preset("classifier", "", None, "directory", Path("/presets/classifier"), "no head")
    info = (await describe(FakeStore([preset]), models))["classifier"]
    assert (info.head, info.error) == ("unproven", None)


async def test_failure_is_told_instead_of_what_was_known(
    models: ModelCache[ServedModel], store: FakeStore
) -> None:
    """The last load knows best."""
    store.errors["tiny"] = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        async with models.lease("tiny"):
            pass
    info = (await describe(store, models))["tiny"]
    assert (info.state, info.error) == ("failed", "broken")
