"""The proof: trained heads pass, random and shuffled ones do not, in any language."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from fakes import make_model
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.proving.head_proof import HeadProof, prove_head, read_probe_texts
from model_store.loading.proving.head_proof_file import read_proof, read_texts, write_proof
from tiny_checkpoints import write_transformers_dir

KERAS = EngineOptions("tensorflow")
"""A conversion for each of these models would take longer than they are used."""

PROOF = HeadProof("english", -1.0, -10.0, -17.0)


def test_the_embedded_preset_is_proven(embedded_model: FillMaskModel) -> None:
    """On the English text, by far."""
    proof = prove_head(embedded_model, read_probe_texts())
    assert proof is not None
    assert (proof.text, proof.is_verified) == ("english", True)
    assert proof.log_probability > max(proof.uniform, proof.shuffled) + 5


def test_the_stored_proof_of_the_embedded_preset_is_that_of_its_files(
    embedded_model: FillMaskModel, embedded_preset_dir: Path
) -> None:
    """What ships is what a probe finds."""
    stored, found = read_proof(embedded_preset_dir), prove_head(embedded_model, read_probe_texts())
    assert stored is not None
    assert found is not None
    assert stored.log_probability == pytest.approx(found.log_probability, abs=1e-2)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_random_weights_are_not_proven(tmp_path: Path, seed: int) -> None:
    """Complete, and no model all the same."""
    model = load_fill_mask_model(write_transformers_dir(tmp_path, seed=seed), KERAS)
    proof = prove_head(model, read_probe_texts())
    assert proof is not None
    assert not proof.is_verified


def randomize_head(tensors: dict[str, Any]) -> None:
    """Put the head there that KerasHub would: small random kernels, no bias."""
    rng = np.random.default_rng(0)
    width = len(tensors["cls.predictions.transform.dense.bias"])
    kernel = rng.standard_normal((width, width)) * 0.02
    tensors["cls.predictions.transform.dense.weight"] = kernel.astype(np.float16)
    tensors["cls.predictions.transform.dense.bias"] = np.zeros(width, np.float16)
    tensors["cls.predictions.transform.LayerNorm.weight"] = np.ones(width, np.float16)
    tensors["cls.predictions.transform.LayerNorm.bias"] = np.zeros(width, np.float16)
    tensors["cls.predictions.bias"] = np.zeros_like(tensors["cls.predictions.bias"])


def shuffle_head(tensors: dict[str, Any]) -> None:
    """Give every vocabulary entry the logits of another."""
    order = np.random.default_rng(0).permutation(len(tensors["cls.predictions.bias"]))
    embeddings = tensors["bert.embeddings.word_embeddings.weight"]
    tensors["cls.predictions.decoder.weight"] = embeddings[order]
    tensors["cls.predictions.bias"] = tensors["cls.predictions.bias"][order]


@pytest.mark.parametrize("spoil", [randomize_head, shuffle_head])
def test_a_trained_backbone_with_a_wrong_head_is_not_proven(
    embedded_preset_dir: Path, tmp_path: Path, spoil: Any
) -> None:
    """The failure that nobody sees: every variable is there, every score is noise."""
    directory = Path(shutil.copytree(embedded_preset_dir, tmp_path / "copy"))
    tensors = load_file(directory / "model.safetensors")
    spoil(tensors)
    save_file(tensors, directory / "model.safetensors")
    proof = prove_head(
        load_fill_mask_model(directory, KERAS), {"english": read_probe_texts()["english"]}
    )
    assert proof is not None
    assert not proof.is_verified


def test_a_model_that_can_read_no_text_has_no_proof(tiny_model: FillMaskModel) -> None:
    """Unknown words prove nothing."""
    assert prove_head(tiny_model, {"thai": "กรุงเทพมหานคร เป็น เมืองหลวง ของ ประเทศไทย"}) is None


@pytest.mark.parametrize(
    ("log_probability", "is_verified"), [(-8.9, True), (-9.1, False), (float("nan"), False)]
)
def test_a_proof_needs_its_margin(log_probability: float, is_verified: bool) -> None:
    """One nat above the better rival."""
    proof = dataclasses.replace(PROOF, log_probability=log_probability)
    assert proof.is_verified is is_verified


def test_a_stored_proof_is_read_back(tmp_path: Path) -> None:
    """As it was."""
    (tmp_path / "config.json").write_text("{}")
    write_proof(tmp_path, PROOF)
    assert read_proof(tmp_path) == PROOF


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_stored_proof_ends_with_its_files(tmp_path: Path, change: str) -> None:
    """Other weights need a proof of their own."""
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"0" * 200_000)
    write_proof(tmp_path, PROOF)
    if change == "edit":
        (tmp_path / "model.safetensors").write_bytes(b"0" * 199_999 + b"1")
    elif change == "add":
        (tmp_path / "vocab.txt").write_text("a")
    else:
        (tmp_path / "config.json").unlink()
    assert read_proof(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": 1}', "\0"])
def test_a_broken_proof_counts_as_none(tmp_path: Path, content: str) -> None:
    """It is made anew."""
    (tmp_path / "head_proof.json").write_text(content)
    assert read_proof(tmp_path) is None


def test_a_proof_of_other_fields_counts_as_none(tmp_path: Path) -> None:
    """An older version may have written it."""
    write_proof(tmp_path, PROOF)
    path = tmp_path / "head_proof.json"
    content = {**json.loads(path.read_text()), "more": 1}
    path.write_text(json.dumps(content))
    assert read_proof(tmp_path) is None


def test_a_proof_that_cannot_be_stored_leaves_nothing_behind(tmp_path: Path) -> None:
    """Whoever asked for it is told."""
    (tmp_path / "head_proof.json").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_proof(tmp_path, PROOF)
    assert [path.name for path in tmp_path.iterdir()] == ["head_proof.json"]
    assert read_proof(tmp_path) is None


def test_a_preset_may_bring_its_own_text(tmp_path: Path) -> None:
    """Then it is the only one."""
    assert read_texts(tmp_path) == read_probe_texts()
    (tmp_path / "probe.txt").write_text("Selamlar")
    assert read_texts(tmp_path) == {"probe.txt": "Selamlar"}


@pytest.mark.parametrize("text", ["", " \n", "Ψ Ω"])
def test_a_text_that_says_nothing_to_a_model_proves_nothing(text: str) -> None:
    """An empty `probe.txt` is asked for anew, like one in another language."""
    assert prove_head(make_model(), {"own": text}) is None
