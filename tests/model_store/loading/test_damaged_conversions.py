"""Whatever happens to a conversion on disk, the right answers come back, at the price of a new one.

Real conversions by a real OpenVINO; only what is damaged differs.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conversions import copy_from
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import EngineUnavailableError
from model_store.loading.converted_models import open_converted
from model_store.loading.load_news import LoadNews
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.sealed_files import is_sound, seal
from model_store.text.encoding import TextLimits

TEXT = "The dog sat in the [MASK]."
Damage = Callable[[Path], None]


@pytest.fixture
def kept(tiny_preset_dir: Path, cache_dir: Path, tmp_path: Path) -> Path:
    """Return a cache of this test alone, with a conversion that was loaded once."""
    load(tiny_preset_dir, cache_dir)
    entry = find_entry(tiny_preset_dir, cache_dir)
    shutil.copytree(entry, tmp_path / "cache" / entry.name)
    load(tiny_preset_dir, tmp_path / "cache")
    return tmp_path / "cache"


def fill_with_zeros(path: Path) -> None:
    """Lose the middle of a file, as a disk may; its size stays."""
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.chmod(0o600)
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Lose the end of a file, as a copy may that broke off."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Lose all of a file."""
    path.write_bytes(b"")


def mix_embeddings_up(conversion: Path) -> None:
    """Give every token the vector of another: all works, and nothing that is said makes sense."""
    graph = (conversion / "model.xml").read_text("utf-8")
    places = [
        (int(size), int(offset))
        for offset, size in re.findall(r'offset="(\d+)"[^>]*?size="(\d+)"', graph)
    ]
    size, offset = max(places)
    weights = bytearray((conversion / "model.bin").read_bytes())
    part = weights[offset : offset + size]
    half = size // 8 * 4
    weights[offset : offset + size] = part[half:] + part[:half]
    (conversion / "model.bin").write_bytes(weights)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.bin", fill_with_zeros),
        ("model.bin", cut),
        ("model.xml", fill_with_zeros),
        ("facts.json", empty),
        ("tokenizer.json", cut),
        ("seal.json", empty),
    ],
)
def test_damaged_conversion_is_made_anew(
    tiny_preset_dir: Path,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    damage: Damage,
) -> None:
    """One event says so, and what is there afterwards is sound."""
    entry = find_entry(tiny_preset_dir, kept)
    sound = shutil.copytree(entry, kept / ".sound")
    damage(entry / name)
    # A real conversion takes seconds; that one is made is what is tested.
    monkeypatch.setattr("model_store.loading.converted_models.convert_apart", copy_from(sound))
    news: list[LoadNews] = []
    model = load(tiny_preset_dir, kept, news)
    assert [each.kind for each in news][:2] == ["conversion_damaged", "converting"]
    assert answer(model) == answer(load(tiny_preset_dir, kept))
    assert is_sound(entry)


@pytest.mark.parametrize("damage", [fill_with_zeros, empty])
def test_damage_to_what_is_not_sealed_is_mended_without_a_conversion(
    tiny_preset_dir: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    """What was measured is measured again, and what was compiled is compiled again."""
    monkeypatch.delattr("model_store.loading.converted_models.convert_apart")
    entry = find_entry(tiny_preset_dir, kept)
    expected = answer(load(tiny_preset_dir, kept))
    compiled = [path for path in (entry / "compiled").rglob("*") if path.is_file()]
    assert compiled
    for path in [entry / "tuning.json", *compiled]:
        damage(path)
    news: list[LoadNews] = []
    assert answer(load(tiny_preset_dir, kept, news)) == expected
    assert [each.kind for each in news] == ["measuring"]


def test_graph_that_fails_the_probe_is_made_anew(
    embedded_preset_dir: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed or not: the head is probed through the graph."""
    options = EngineOptions("openvino", "float32", cache_dir)
    load_fill_mask_model(embedded_preset_dir, options)
    sound = find_entry(embedded_preset_dir, cache_dir)
    cache = tmp_path / "cache"
    entry = shutil.copytree(sound, cache / sound.name)
    mix_embeddings_up(entry)
    (entry / "seal.json").unlink()
    seal(entry)
    monkeypatch.setattr("model_store.loading.converted_models.convert_apart", copy_from(sound))
    news: list[LoadNews] = []
    options = EngineOptions("openvino", "float32", cache)
    load_fill_mask_model(embedded_preset_dir, options, news.append)
    assert "conversion_damaged" in [each.kind for each in news]


def test_new_conversion_that_fails_the_probe_is_not_served(
    embedded_preset_dir: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one would be no better: the engine is at fault."""
    load_fill_mask_model(embedded_preset_dir, EngineOptions("openvino", "float32", cache_dir))
    broken = shutil.copytree(find_entry(embedded_preset_dir, cache_dir), tmp_path / "broken")
    mix_embeddings_up(broken)
    monkeypatch.setattr("model_store.loading.converted_models.convert_apart", copy_from(broken))
    options = EngineOptions("openvino", "float32", tmp_path / "cache")
    with pytest.raises(EngineUnavailableError, match="OpenVINO answers otherwise than"):
        load_fill_mask_model(embedded_preset_dir, options)


def load(directory: Path, cache: Path, news: list[LoadNews] | None = None) -> FillMaskModel:
    """Load on OpenVINO."""
    report = (lambda _: None) if news is None else news.append
    return load_fill_mask_model(directory, EngineOptions("openvino", "float32", cache), report)


def find_entry(directory: Path, cache: Path) -> Path:
    """Return the conversion of a preset in a cache."""
    with open_converted(directory, cache) as converted:
        return converted.directory


def answer(model: FillMaskModel) -> list[tuple[int, float]]:
    """Return what a model says to a text."""
    encoding = model.encode(TEXT, top_k=5, targets=None, limits=TextLimits())
    [[mask]] = model.predict([encoding])
    return list(zip(mask.token_ids.tolist(), mask.log_probabilities.tolist(), strict=True))
