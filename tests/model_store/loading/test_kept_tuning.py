"""A model is tuned once a machine, and several machines may share a cache."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes import make_model
from model_store.engines.candidate import Candidate
from model_store.engines.engine import Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading import kept_tuning
from model_store.loading.converted_models import Conversion
from model_store.loading.kept_tuning import TUNING_FILE, load_tuned, read_tunings

if TYPE_CHECKING:
    from model_store.loading.load_news import LoadNews

AMX: tuple[Precision, ...] = ("float32", "bfloat16", "float16")
AVX2: tuple[Precision, ...] = ("float32",)
CANDIDATES = (
    Candidate("float32", 1.0, 0.0, 0.0, 12_500.0, 1.0),
    Candidate("bfloat16", 0.9975, 0.013, 0.0018, 36_000.0, 2.9),
)


def entry(**changes: object) -> bytes:
    """Return what a tuning file of machine `one` holds, with changes."""
    content = {
        "machine": f"one, {' '.join(AMX)}",
        "wanted": "auto",
        "precision": "float16",
        "agreement": 1.0,
        "batch_tokens": 512,
        "candidates": [],
    }
    return json.dumps([content | changes]).encode()


class Loads:
    """Loads made-up models in one cache, as machines with these capabilities would."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every tuning choose the last precision that a machine has."""
        self._directory = directory
        self.news: list[LoadNews] = []
        self.tunings = 0
        monkeypatch.setattr(kept_tuning, "tune", self._tune)

    def load(
        self,
        machine: str,
        available: tuple[Precision, ...] = AMX,
        wanted: Precision = "auto",
        *,
        is_kept: bool = True,
    ) -> FillMaskModel:
        """Load on a machine."""
        return load_tuned(
            self._make,
            wanted,
            available,
            {},
            machine=machine,
            converted=Conversion(self._directory, is_new=False, is_kept=is_kept),
            report=self.news.append,
        )

    @staticmethod
    def _make(precision: Precision) -> FillMaskModel:
        model = make_model()
        model.facts = replace(model.facts, precision=precision)
        return model

    def _tune(
        self, load: object, wanted: Precision, available: tuple[Precision, ...], _: object
    ) -> FillMaskModel:
        del load
        self.tunings += 1
        chosen = wanted if wanted != "auto" else available[min(1, len(available) - 1)]
        model = self._make(chosen)
        measured = {"agreement": 0.9975, "batch_tokens": 1024, "candidates": CANDIDATES}
        model.facts = replace(model.facts, **measured)  # type: ignore[arg-type]
        return model


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loads:
    """Loads in one cache."""
    return Loads(tmp_path, monkeypatch)


def test_what_was_measured_is_known_at_the_next_load(loads: Loads) -> None:
    """All of it, and nothing is measured again."""
    first = loads.load("one").facts
    assert loads.load("one").facts == first
    assert loads.tunings == 1
    assert first.candidates == CANDIDATES
    assert [each.kind for each in loads.news] == ["measuring"]


@pytest.mark.parametrize("is_kept", [True, False])
def test_machines_that_share_a_cache_are_all_known(loads: Loads, is_kept: bool) -> None:
    """Also where it cannot be written to any more."""
    for machine, available in (("one", AMX), ("two", AVX2), ("three", AMX)):
        loads.load(machine, available)
    for machine, available in (("one", AMX), ("two", AVX2), ("three", AMX)):
        loads.load(machine, available, is_kept=is_kept)
    assert loads.tunings == 3


def test_a_machine_of_the_same_name_that_computes_in_less_is_another(loads: Loads) -> None:
    """A virtual machine hides what its processor has, and keeps its name."""
    loads.load("one", AMX)
    assert loads.load("one", AVX2).facts.precision == "float32"


def test_each_precision_that_is_asked_for_has_an_entry(loads: Loads) -> None:
    """One by name does not replace what `auto` found."""
    loads.load("one")
    assert loads.load("one", wanted="float16").facts.precision == "float16"
    assert loads.load("one").facts.precision == "bfloat16"
    assert loads.tunings == 2


@pytest.mark.parametrize(
    ("available", "expected"), [(AMX, ("bfloat16", 0.9975, 1024)), (AVX2, ("float32", 1.0, 512))]
)
def test_nothing_is_measured_that_cannot_be_kept(
    loads: Loads, available: tuple[Precision, ...], expected: tuple[str, float, int]
) -> None:
    """It would cost seconds at every start; what another machine took is taken if it is there."""
    loads.load("one")
    facts = loads.load("two", available, is_kept=False).facts
    assert (facts.precision, facts.agreement, facts.batch_tokens) == expected
    assert facts.candidates == ()
    assert loads.tunings == 1
    assert [t.machine for t in read_tunings_of(loads)] == [f"one, {' '.join(AMX)}"]


def test_where_nothing_is_known_float32_is_taken_and_that_is_said(loads: Loads) -> None:
    """It is right by definition; a sentence says what would make it fast."""
    facts = loads.load("one", is_kept=False).facts
    (news,) = loads.news
    assert (facts.precision, facts.notice) == ("float32", news.sentence)
    assert news.kind == "not_measured"
    assert news.is_trouble
    assert "FILLMASK_CACHE_DIR" in news.sentence
    assert "float32" in news.sentence


def test_a_precision_that_is_named_is_taken_without_a_word(loads: Loads) -> None:
    """Nothing was to be decided; only its agreement is unknown."""
    facts = loads.load("one", wanted="bfloat16", is_kept=False).facts
    assert (facts.precision, facts.agreement) == ("bfloat16", None)
    assert not loads.news


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"[]",
        b"{}",
        b'{"one, float32 bfloat16 float16, auto": {"precision": "bfloat16"}}',
        entry(agreement="all"),
        entry(batch_tokens=0),
        entry(candidates=[{"precision": "float32"}]),
    ],
)
def test_a_file_that_is_damaged_counts_for_nothing(
    loads: Loads, tmp_path: Path, content: bytes
) -> None:
    """Or was written by an older version: what it should say is measured again."""
    (tmp_path / TUNING_FILE).write_bytes(content)
    assert loads.load("one").facts.precision == "bfloat16"
    assert loads.tunings == 1
    loads.load("one")
    assert loads.tunings == 1


def test_a_sound_file_counts(loads: Loads, tmp_path: Path) -> None:
    """What the damaged ones above are made from is read."""
    (tmp_path / TUNING_FILE).write_bytes(entry())
    assert loads.load("one").facts.precision == "float16"
    assert not loads.tunings


def test_the_file_does_not_grow_for_ever(
    loads: Loads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machines that were tuned last are kept."""
    monkeypatch.setattr(kept_tuning, "_MOST_ENTRIES", 2)
    for machine in ("one", "two", "three"):
        loads.load(machine)
    kept = [tuning.machine.split(",")[0] for tuning in read_tunings(tmp_path / TUNING_FILE)]
    assert kept == ["two", "three"]


def read_tunings_of(loads: Loads) -> list[kept_tuning.Tuning]:
    """Return what a cache holds."""
    return read_tunings(loads._directory / TUNING_FILE)
