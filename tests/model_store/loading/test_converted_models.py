"""A conversion happens once, in a process of its own, and never serves other weights."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from model_store.engines import EngineOptions
from model_store.errors import HeadMissingError
from model_store.loading import converted_models
from model_store.loading.converted_models import open_converted
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.sealed_files import is_sound
from tiny_checkpoints import write_transformers_dir

if TYPE_CHECKING:
    from model_store.loading.load_news import LoadNews

ROOT = Path(__file__).parents[3]
LOAD = """
import sys
from pathlib import Path
from model_store.engines import EngineOptions
from model_store.loading.loader import load_fill_mask_model
options = EngineOptions("openvino", "auto", Path(sys.argv[2]))
model = load_fill_mask_model(Path(sys.argv[1]), options)
assert model.engine == "openvino", model.engine
print(sorted({"keras", "tensorflow", "jax", "torch"} & set(sys.modules)))
"""


@pytest.fixture
def converted_tiny(tiny_preset_dir: Path, cache_dir: Path) -> Path:
    """The small checkpoint, converted, in the cache of the test run."""
    with open_converted(tiny_preset_dir, cache_dir) as converted:
        return converted.directory


def forbid_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every conversion fail."""
    monkeypatch.delattr(converted_models, "convert_apart")


@pytest.mark.usefixtures("converted_tiny")
def test_second_start_imports_no_other_runtime(tiny_preset_dir: Path, cache_dir: Path) -> None:
    """What is in the cache needs neither Keras nor what Keras runs on."""
    run = run_script(LOAD, tiny_preset_dir, cache_dir)
    assert run.stdout == "[]\n", run.stderr


def test_a_plain_script_converts_and_hears_nothing_of_it(tmp_path: Path) -> None:
    """One without a guard for `__main__`, which is not run twice; no runtime writes to stderr."""
    directory = write_transformers_dir(tmp_path / "model")
    run = run_script(f"print('once')\n{LOAD}", directory, tmp_path / "cache")
    assert (run.stdout, run.stderr) == ("once\n[]\n", "")


def test_a_copy_of_the_files_needs_no_conversion(
    converted_tiny: Path,
    tiny_preset_dir: Path,
    cache_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What counts is what the files hold, not where they lie."""
    forbid_conversion(monkeypatch)
    shutil.copytree(tiny_preset_dir, tmp_path / "copy")
    with open_converted(tmp_path / "copy", cache_dir) as converted:
        assert converted.directory == converted_tiny


@pytest.mark.usefixtures("converted_tiny")
def test_other_weights_are_converted_anew(
    tiny_preset_dir: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit in the middle of a file is enough."""
    forbid_conversion(monkeypatch)
    changed = tmp_path / "changed"
    shutil.copytree(tiny_preset_dir, changed)
    weights = bytearray((changed / "model.safetensors").read_bytes())
    weights[len(weights) // 2] ^= 1
    (changed / "model.safetensors").write_bytes(weights)
    with pytest.raises(NameError, match="convert_apart"), open_converted(changed, cache_dir):
        pass


@pytest.mark.usefixtures("converted_tiny")
def test_graph_of_an_older_version_is_converted_anew(
    tiny_preset_dir: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would lack an input that the engine feeds, or an output that it reads."""
    forbid_conversion(monkeypatch)
    monkeypatch.setattr(converted_models, "_GRAPH", converted_models._GRAPH - 1)
    with (
        pytest.raises(NameError, match="convert_apart"),
        open_converted(tiny_preset_dir, cache_dir),
    ):
        pass


def test_a_cache_that_cannot_be_written_to_is_read(
    converted_tiny: Path, tiny_preset_dir: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container; root may write anywhere, so writing is denied by hand."""
    forbid_conversion(monkeypatch)
    monkeypatch.setattr(converted_models, "can_write", lambda _: False)
    with open_converted(tiny_preset_dir, cache_dir) as converted:
        assert (converted.directory, converted.is_kept) == (converted_tiny, False)


def test_what_a_cache_lacks_that_cannot_be_written_to_is_said(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is converted for this time only, and somebody pays for that at every load."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(converted_models, "convert_apart", mark)
    news: list[LoadNews] = []
    cache = tmp_path / "file" / "cache"
    with open_converted(tiny_preset_dir, cache, news.append) as converted:
        assert (converted.directory / "x").exists()
    assert not converted.directory.exists()
    assert [each.kind for each in news] == ["cache_not_writable", "converting"]
    assert str(cache) in news[0].sentence
    assert "FILLMASK_CACHE_DIR" in news[0].sentence


def test_without_a_cache_nothing_is_said_of_one(
    tiny_preset_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who keeps none wants none."""
    monkeypatch.setattr(converted_models, "convert_apart", mark)
    news: list[LoadNews] = []
    with open_converted(tiny_preset_dir, None, news.append):
        pass
    assert [each.kind for each in news] == ["converting"]


def test_the_oldest_conversions_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache does not grow for ever."""
    monkeypatch.setattr(converted_models, "convert_apart", mark)
    monkeypatch.setattr(converted_models, "_MOST_ENTRIES", 2)
    for content in ("a", "b", "c"):
        (tmp_path / content).mkdir()
        (tmp_path / content / "config.json").write_text(content)
        with open_converted(tmp_path / content, tmp_path / "cache") as newest:
            pass
    kept = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert len(kept) == 2
    assert newest.directory in kept


@pytest.mark.parametrize("name", ["x", "seal.json"])
@pytest.mark.parametrize("content", [b"", b"other", None])
def test_a_conversion_that_is_not_as_it_was_written_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    """Any file of it that is changed, emptied or gone, and its seal too."""
    monkeypatch.setattr(converted_models, "convert_apart", mark)
    preset = tmp_path / "preset"
    preset.mkdir()
    (preset / "config.json").write_text("{}")
    news: list[LoadNews] = []
    with open_converted(preset, tmp_path / "cache", news.append) as made:
        assert made.is_new
    with open_converted(preset, tmp_path / "cache", news.append) as found:
        assert (found.is_new, found.directory) == (False, made.directory)
    (made.directory / name).unlink()
    if content is not None:
        (made.directory / name).write_bytes(content)
    with open_converted(preset, tmp_path / "cache", news.append) as mended:
        assert mended.is_new
        assert is_sound(mended.directory)
    assert [each.kind for each in news] == ["converting", "conversion_damaged", "converting"]


def test_an_error_of_the_conversion_is_that_of_the_files(tmp_path: Path) -> None:
    """It crosses the process, and leaves nothing behind that looks converted."""
    directory = write_transformers_dir(tmp_path / "headless")
    without_head(directory)
    with pytest.raises(HeadMissingError):
        load_fill_mask_model(directory, EngineOptions("openvino", "auto", tmp_path / "cache"))
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def mark(_: Path, target: Path) -> None:
    """Leave a file in place of a conversion."""
    (target / "x").write_text("converted")


def run_script(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run a script from a file, as people do."""
    path = arguments[-1].parent / "script.py"
    path.write_text(script)
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, str(path), *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def without_head(directory: Path) -> None:
    """Take the tensors of the head out of a checkpoint."""
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    path = directory / "model.safetensors"
    tensors = {name: t for name, t in load_file(path).items() if not name.startswith("cls.")}
    save_file(tensors, path)
