"""Which presets there are, and that a name never becomes a path."""

from pathlib import Path

import pytest

from model_store.errors import HeadMissingError, PresetNotFoundError, PresetUnavailableError
from model_store.fetching.catalog import EMBEDDED, read_catalog
from model_store.store import ModelStore

PUBLISHED = {
    "bert_tiny_en_uncased": "4.39M",
    "bert_small_en_uncased": "28.76M",
    "bert_medium_en_uncased": "41.37M",
    "bert_base_en_uncased": "109.48M",
    "bert_base_en": "108.31M",
    "bert_base_zh": "102.27M",
    "bert_base_multi": "177.85M",
    "bert_large_en_uncased": "335.14M",
    "bert_large_en": "333.58M",
    "bert_tiny_en_uncased_sst2": "4.39M",
    "distil_bert_base_en_uncased": "66.36M",
    "distil_bert_base_en": "65.19M",
    "distil_bert_base_multi": "134.73M",
    "roberta_base_en": "124.05M",
    "roberta_large_en": "354.31M",
    "xlm_roberta_base_multi": "277.45M",
    "xlm_roberta_large_multi": "558.84M",
    "albert_base_en_uncased": "11.68M",
    "albert_large_en_uncased": "17.68M",
    "albert_extra_large_en_uncased": "58.72M",
    "albert_extra_extra_large_en_uncased": "222.60M",
    "electra_small_generator_uncased_en": "13.55M",
    "electra_base_generator_uncased_en": "33.58M",
    "electra_large_generator_uncased_en": "51.07M",
    "esm2_t6_8M": "7.41M",
    "esm2_t12_35M": "33.27M",
    "esm2_t30_150M": "147.73M",
    "esm2_t33_650M": "649.40M",
}


def test_the_catalogue_lists_the_published_ones_and_the_embedded_one() -> None:
    """With KerasHub's numbers of parameters."""
    sizes = {name: f"{entry.parameters / 1e6:.2f}M" for name, entry in read_catalog().items()}
    assert sizes == {EMBEDDED: "22.74M", **PUBLISHED}


def test_subdirectories_of_the_store_are_presets_by_name(tiny_preset_dir: Path) -> None:
    """After the catalogue's, in order of their names."""
    presets = ModelStore(tiny_preset_dir.parent).presets()
    assert [preset.name for preset in presets] == [*read_catalog(), "tiny_cased"]
    assert presets[-1].directory == tiny_preset_dir


def test_a_directory_serves_a_catalogued_name(tiny_preset_dir: Path, tmp_path: Path) -> None:
    """Files put in place under a built-in name are that preset's."""
    (tmp_path / "bert_base_zh").symlink_to(tiny_preset_dir)
    preset = ModelStore(tmp_path).find("bert_base_zh")
    assert preset.directory == tmp_path / "bert_base_zh"


@pytest.mark.parametrize(
    ("name", "content", "family"),
    [
        ("config.json", '{"model_type": "xlm-roberta"}', "roberta"),
        ("config.json", '{"architectures": ["EsmForMaskedLM"]}', "esm"),
        ("config.json", '{"class_name": "BertBackbone"}', "bert"),
        ("config.json", '{"class_name": "GemmaBackbone"}', None),
        ("config.json", '{"model_type": "gemma"}', None),
        ("config.json", '{"model_type": []}', None),
        ("config.json", "[", None),
        ("config.json", "{}", None),
        ("bert_config.json", "", "bert"),
    ],
)
def test_a_family_is_told_by_the_config_alone(
    tmp_path: Path, name: str, content: str, family: str | None
) -> None:
    """There are no weights; what is of no family that is read has none."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text(content)
    assert ModelStore(tmp_path).find("mine").read_family() == family


def test_the_catalogue_tells_the_family_of_what_is_not_here() -> None:
    """Of every entry."""
    assert ModelStore().find("bert_base_zh").read_family() == "bert"
    assert all(preset.read_family() for preset in ModelStore().presets())


def test_what_is_no_preset_is_not_listed(tmp_path: Path) -> None:
    """Files, empty directories, hidden ones and odd names are left out."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name in (".hidden", "a b", "-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    assert len(ModelStore(tmp_path).presets()) == len(read_catalog())


def test_ignored_directories_are_named_with_their_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that somebody may have meant to be a preset; not what a pull keeps."""
    monkeypatch.setattr("model_store.store._MOST_DIRECTORIES", 1)
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name in (".a.partial", "a b", "first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    ignored = ModelStore(tmp_path).ignored_directories()
    assert {name: reason.split()[:2] for name, reason in ignored.items()} == {
        "a b": ["A", "preset's"],
        "empty": ["It", "has"],
        "second": ["Only", "the"],
    }
    assert ModelStore().ignored_directories() == {}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../tiny_cased", "tiny_cased/", "/etc", "tiny_cased\0", "TINY_CASED"]
)
def test_a_name_never_becomes_a_path(tiny_preset_dir: Path, name: str) -> None:
    """Only listed names are found."""
    with pytest.raises(PresetNotFoundError):
        ModelStore(tiny_preset_dir.parent).find(name)


def test_presets_that_are_not_allowed_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    """Neither the catalogue's nor the directory's; they are not even fetched."""
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    store = ModelStore(tmp_path, allowed=(EMBEDDED, "mine", "no_such_preset"))
    assert [preset.name for preset in store.presets()] == [EMBEDDED, "mine"]
    for refused in (store.find, store.load, store.verify, store.fetch, store.is_fetchable):
        for name in ("theirs", "bert_base_en"):
            with pytest.raises(PresetNotFoundError):
                refused(name)


def test_a_missing_store_directory_is_an_empty_one(tmp_path: Path) -> None:
    """It may be made later."""
    assert len(ModelStore(tmp_path / "later").presets()) == len(read_catalog())


def test_a_preset_without_files_is_unavailable(tmp_path: Path) -> None:
    """And the sentence says where to put them."""
    with pytest.raises(PresetUnavailableError, match="put them into bert_base_en/"):
        ModelStore(tmp_path).load("bert_base_en")


def test_the_classifier_is_refused_with_its_reason() -> None:
    """`bert_tiny_en_uncased_sst2` never had a masked-LM head."""
    with pytest.raises(HeadMissingError, match="classifier"):
        ModelStore().load("bert_tiny_en_uncased_sst2")


def test_what_can_be_had_is_what_is_here_or_would_be_fetched(tmp_path: Path) -> None:
    """Nothing is fetched, and no connection tried, to find that out."""
    ModelStore(tmp_path).require_obtainable("bert_base_zh")
    ModelStore(tmp_path, offline=True).require_obtainable(EMBEDDED)
    for store in (ModelStore(tmp_path, offline=True), ModelStore()):
        with pytest.raises(PresetUnavailableError, match="presets pull bert_base_zh"):
            store.require_obtainable("bert_base_zh")
        with pytest.raises(HeadMissingError):
            store.require_obtainable("bert_tiny_en_uncased_sst2")
    with pytest.raises(HeadMissingError):
        ModelStore(tmp_path).require_obtainable("bert_tiny_en_uncased_sst2")
    with pytest.raises(PresetNotFoundError):
        ModelStore(tmp_path).require_obtainable("nobody")
