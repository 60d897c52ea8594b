"""Whatever stands beside the files of a preset: it counts as a proof or it does not."""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.hostile_presets import RAW_VALUES, REPLACEMENTS, damaged, fill_field
from model_store.fetching.preset_files import PROOF_FILE
from model_store.loading.proving.head_proof import HeadProof
from model_store.loading.proving.head_proof_file import read_proof, read_texts, write_proof

PROOF = HeadProof("english", -1.0, -9.0, -8.0)


def make_preset(directory: Path) -> Path:
    """Write a preset that has a proof and a text of its own."""
    (directory / "config.json").write_text("{}")
    (directory / "probe.txt").write_text("The cat sat.")
    write_proof(directory, PROOF)
    return directory / PROOF_FILE


def assert_is_proof_or_none(proof: HeadProof | None) -> None:
    """Hold what was read against what it is used for: to be compared, and to be shown as JSON."""
    if proof:
        assert isinstance(proof.text, str)
        proof.text.encode()
        numbers = (proof.log_probability, proof.uniform, proof.shuffled)
        assert all(math.isfinite(number) for number in numbers)
        assert proof.is_verified in {True, False}


def test_good_proof_is_read(tmp_path: Path) -> None:
    """What is damaged below is whole before."""
    make_preset(tmp_path)
    assert read_proof(tmp_path) == PROOF


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_proof_counts_or_not(data: st.DataObject) -> None:
    """No byte of it makes the list of presets fail, which shows the proofs of all."""
    with TemporaryDirectory() as directory:
        path = make_preset(Path(directory))
        path.write_bytes(data.draw(damaged(path.read_bytes())))
        assert_is_proof_or_none(read_proof(Path(directory)))


@pytest.mark.parametrize("raw", RAW_VALUES, ids=lambda raw: raw[:12])
@pytest.mark.parametrize("field", ["text", "log_probability", "uniform", "fingerprint", None])
def test_proof_of_wrong_types_is_none(tmp_path: Path, field: str | None, raw: str) -> None:
    """A field, or the whole of it, may be any JSON."""
    path = make_preset(tmp_path)
    content = fill_field(path.read_bytes(), (field,), raw) if field else raw.encode()
    path.write_bytes(content)
    assert_is_proof_or_none(read_proof(tmp_path))


@pytest.mark.parametrize("name", [PROOF_FILE, "probe.txt"])
@pytest.mark.parametrize("put", REPLACEMENTS)
def test_what_is_no_file_is_not_read(tmp_path: Path, put: Any, name: str) -> None:
    """Directories, loops, pipes and files without end are no proofs, and no texts."""
    make_preset(tmp_path)
    put(tmp_path / name)
    assert_is_proof_or_none(read_proof(tmp_path))
    assert sum(map(len, read_texts(tmp_path).values())) < 100_000


def test_proof_is_plain_json(tmp_path: Path) -> None:
    """Anybody can read it."""
    path = make_preset(tmp_path)
    assert json.loads(path.read_bytes())["uniform"] == PROOF.uniform
