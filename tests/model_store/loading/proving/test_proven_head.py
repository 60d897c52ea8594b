"""A store serves no model whose head is unproven, and proves each only once."""

from pathlib import Path

import pytest

from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import HeadUnprovenError
from model_store.fetching.preset_files import list_files
from model_store.loading.proving import proven_head
from model_store.loading.proving.head_proof import HeadProof, read_probe_texts
from model_store.loading.proving.head_proof_file import read_proof
from model_store.loading.proving.proven_head import keep_proof, probe_head, require_proven_head
from model_store.store import ModelStore
from tiny_checkpoints import forge_proof, write_transformers_dir


def test_random_weights_are_never_served(tmp_path: Path, engine_options: EngineOptions) -> None:
    """They load, every variable of them, and are refused; what the probe found is kept."""
    directory = write_transformers_dir(tmp_path / "random")
    with pytest.raises(HeadUnprovenError, match=r"no better than chance \(mean .* uniform -6"):
        ModelStore(tmp_path, engine=engine_options).load("random")
    proof = read_proof(directory)
    assert proof is not None
    assert not proof.is_verified


def test_a_stored_proof_is_not_made_again(
    embedded_model: FillMaskModel, embedded_preset_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second start does not probe."""
    monkeypatch.delattr(proven_head, "prove_head")
    assert require_proven_head(embedded_model, embedded_preset_dir).is_verified


def test_a_preset_without_a_proof_is_probed_and_keeps_it(
    embedded_model: FillMaskModel, tmp_path: Path
) -> None:
    """The first load makes the proof."""
    proof = require_proven_head(embedded_model, tmp_path)
    assert proof.is_verified
    assert read_proof(tmp_path) == proof


def test_a_model_of_no_known_language_says_what_to_do(
    tiny_model: FillMaskModel, tmp_path: Path
) -> None:
    """It may bring a text of its own."""
    (tmp_path / "probe.txt").write_text("กรุงเทพมหานคร", "utf-8")
    with pytest.raises(HeadUnprovenError, match=r"probe\.txt"):
        require_proven_head(tiny_model, tmp_path)


def test_a_probe_ignores_what_is_stored(tiny_model: FillMaskModel, tmp_path: Path) -> None:
    """Verifying means looking again; here it finds a forgery."""
    forge_proof(tmp_path)
    assert require_proven_head(tiny_model, tmp_path).is_verified
    assert not probe_head(tiny_model, tmp_path).is_verified


def test_texts_of_every_language_of_the_catalogue_are_there() -> None:
    """English, Chinese, and several of the hundred and four."""
    assert {"english", "chinese", "german", "arabic", "antibody"} <= set(read_probe_texts())


def test_a_store_verifies_by_name(
    embedded_preset_dir: Path, tmp_path: Path, engine_options: EngineOptions
) -> None:
    """And returns what the probe found."""
    (tmp_path / "mine").mkdir()
    for path in list_files(embedded_preset_dir):
        (tmp_path / "mine" / path.name).symlink_to(path)
    store = ModelStore(tmp_path, engine=engine_options)
    proof = store.verify("mine")
    assert isinstance(proof, HeadProof)
    assert store.keep_proof("mine", proof) == tmp_path / "mine" / "head_proof.json"
    assert read_proof(tmp_path / "mine") == proof


def test_a_proof_that_cannot_be_kept_counts_for_this_load(
    embedded_model: FillMaskModel, tmp_path: Path
) -> None:
    """The directory may be read-only."""
    (tmp_path / "head_proof.json").mkdir()
    assert require_proven_head(embedded_model, tmp_path).is_verified


def test_the_embedded_preset_keeps_the_proof_that_it_came_with(embedded_preset_dir: Path) -> None:
    """Its files belong to the package, which may be a checkout under version control."""
    before = (embedded_preset_dir / "head_proof.json").read_bytes()
    assert keep_proof(embedded_preset_dir, HeadProof("new", -1.0, -9.0, -9.0)) is None
    assert (embedded_preset_dir / "head_proof.json").read_bytes() == before
