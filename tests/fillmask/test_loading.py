"""A name becomes a loaded model, or a sentence that says why not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import fillmask
from fakes import make_model
from model_store.engines import EngineOptions
from model_store.fetching.catalog import EMBEDDED
from model_store.loading.load_news import LoadNews

TEXTS = ["The capital of France is [MASK].", *(f"{name} is in [MASK]." for name in "ABCDEFG")]


def test_threads_share_a_model(cache_dir: Path) -> None:
    """Each gets what it would get alone."""
    model = fillmask.load(EMBEDDED, precision="float32", cache_directory=cache_dir)
    alone = [model.fill_mask(text, top_k=1)[0] for text in TEXTS]
    assert "paris" in alone[0].masks[0].predictions[0].sequence
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: model.fill_mask(text, top_k=1)[0], TEXTS * 8))
    for answer, expected in zip(together, alone * 8, strict=True):
        [one], [other] = answer.masks[0].predictions, expected.masks[0].predictions
        assert one.token == other.token
        assert one.score == pytest.approx(other.score, rel=1e-4)


@pytest.mark.parametrize(
    ("preset", "options", "sentence"),
    [
        ("no_such", {}, "no_such is no name of a preset and no directory of a checkpoint"),
        ("no_such", {"engine": "onnx"}, "There is no engine 'onnx'; use auto, tensorflow, jax"),
        ("no_such", {"precision": "int8"}, "There is no precision 'int8'; use auto, float32"),
        ("bert_base_en", {"offline": True}, "The files of bert_base_en are not here"),
        ("bert_tiny_en_uncased_sst2", {}, "head"),
    ],
)
def test_what_cannot_be_loaded_is_said(
    tmp_path: Path, preset: str, options: dict[str, Any], sentence: str
) -> None:
    """One sentence, and an error of the library's own."""
    with pytest.raises(fillmask.ModelStoreError) as raised:
        fillmask.load(preset, directory=tmp_path, **options)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_trouble_is_warned_of_and_work_is_not(
    tiny_preset_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load goes on in spite of it; what it was asked reaches it."""
    asked: list[EngineOptions] = []

    class LoadedError(Exception):
        """Ends the load where it has told all."""

    def load(_: Path, options: EngineOptions, report: Any) -> None:
        asked.append(options)
        report(LoadNews("converting", "It is converted."))
        report(LoadNews("cache_not_writable", "The cache cannot be written to."))
        raise LoadedError

    monkeypatch.setattr("fillmask.loading.load_fill_mask_model", load)
    with (
        pytest.raises(LoadedError),
        pytest.warns(RuntimeWarning, match="cannot be written to") as warned,
    ):
        fillmask.load(tiny_preset_dir, engine="openvino", cache_directory=None)
    assert len(warned) == 1
    assert asked == [EngineOptions("openvino", "auto", None)]


def test_an_unproven_head_is_refused(
    tiny_preset_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server does, whatever loaded the files."""
    monkeypatch.setattr("fillmask.loading.load_fill_mask_model", lambda *_: make_model())
    monkeypatch.setattr("model_store.loading.proving.proven_head.read_proof", lambda _: None)
    with pytest.raises(fillmask.ModelStoreError, match="unproven"):
        fillmask.load(tiny_preset_dir)
