"""Where the fastest engine cannot be had, `auto` serves with the next one and says why."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model_store.engines import EngineOptions
from model_store.errors import EngineUnavailableError, ModelLoadError
from model_store.loading.load_news import LoadNews
from model_store.loading.loader import load_fill_mask_model


def miss_openvino(patch: pytest.MonkeyPatch) -> None:
    """Be without the package."""
    patch.setitem(sys.modules, "openvino", None)
    patch.delitem(sys.modules, "model_store.engines.openvino", raising=False)
    patch.delattr("model_store.engines.openvino", raising=False)


def be_killed(patch: pytest.MonkeyPatch) -> None:
    """Lack the memory for a conversion."""
    kill = "import signal; signal.raise_signal(signal.SIGKILL)"
    patch.setattr("model_store.loading.conversion_process._START", kill)


def convert_to_nothing(patch: pytest.MonkeyPatch) -> None:
    """Convert to what OpenVINO cannot read."""

    def convert(_: Path, target: Path) -> None:
        (target / "facts.json").write_text("{}")

    patch.setattr("model_store.loading.converted_models.convert_apart", convert)


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (miss_openvino, "OpenVINO is not installed"),
        (be_killed, "was killed; give it more memory"),
        (convert_to_nothing, "OpenVINO cannot run"),
    ],
)
def test_auto_serves_with_keras_and_says_why(
    tiny_preset_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[pytest.MonkeyPatch], None],
    reason: str,
) -> None:
    """Once, in a sentence; who named the engine gets it as an error."""
    fail(monkeypatch)
    news: list[LoadNews] = []
    model = load_fill_mask_model(
        tiny_preset_dir, EngineOptions("auto", "float32", tmp_path), news.append
    )
    assert model.engine == "tensorflow"
    [told] = [each for each in news if each.is_trouble]
    assert told == LoadNews("engine_unavailable", model.facts.notice or "")
    assert told.sentence.startswith("tiny_cased runs on tensorflow, which is slower: ")
    assert reason in told.sentence
    with pytest.raises(EngineUnavailableError, match=reason):
        load_fill_mask_model(tiny_preset_dir, EngineOptions("openvino", "float32", tmp_path))


def test_files_that_are_no_model_are_not_tried_on_another_engine(tmp_path: Path) -> None:
    """None could read them, and the sentence is about them."""
    (tmp_path / "config.json").write_text("{}")
    news: list[LoadNews] = []
    with pytest.raises(ModelLoadError, match="neither Transformers' nor KerasHub's"):
        load_fill_mask_model(
            tmp_path, EngineOptions("auto", "float32", tmp_path / "cache"), news.append
        )
    assert [each.kind for each in news] == ["converting"]
