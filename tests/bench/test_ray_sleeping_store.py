"""A store whose answers say whose text was scored, and by which version."""

from pathlib import Path

import pytest

from bench.ray.sleeping_store import (
    Costs,
    SleepingStore,
    find_answer,
    read_loads,
    write_presets,
    write_version,
)
from fillmask.loaded_model import LoadedModel
from model_store.errors import PresetNotFoundError


@pytest.fixture(name="store")
def make_store(tmp_path: Path) -> SleepingStore:
    """Return two presets that cost next to nothing."""
    write_presets(tmp_path, ["one", "two"], Costs(batch_s=0.0))
    return SleepingStore(tmp_path)


def test_each_text_gets_its_own_sum(store: SleepingStore) -> None:
    """Though texts of one batch share rows, and one has two masks."""
    texts = ["w1 w2 [MASK]", "[MASK] w50 w60 w70 [MASK]", "w99 [MASK]", "[MASK]"]
    filled = LoadedModel("one", store.load("one")).fill_mask(texts, top_k=2)
    masks = [mask for text in filled for mask in text.masks]
    assert [mask.predictions[0].token for mask in masks] == [3, 80, 80, 99, 0]
    assert [mask.predictions[1].token for mask in masks] == [4, 81, 81, 0, 1]


def test_next_load_answers_as_the_version_that_is_there(
    store: SleepingStore, tmp_path: Path
) -> None:
    """One that was loaded before stays what it was."""
    old = LoadedModel("one", store.load("one"))
    write_version(tmp_path, "one", 5)
    new = LoadedModel("one", store.load("one"))
    answers = [
        model.fill_mask("w1 w2 [MASK]", top_k=1)[0].masks[0].predictions[0].token_str
        for model in (old, new)
    ]
    assert answers == [find_answer([1, 2], 0), find_answer([1, 2], 5)] == ["w3", "w8"]


def test_loads_are_written_down(store: SleepingStore, tmp_path: Path) -> None:
    """Those of presets that there are."""
    assert read_loads(tmp_path) == []
    for name in ("two", "one", "two"):
        store.load(name)
    with pytest.raises(PresetNotFoundError):
        store.load("three")
    assert read_loads(tmp_path) == ["two", "one", "two"]
    assert [preset.name for preset in store.presets()] == ["one", "two"]
