"""A conversion on a disk that is full, or fills meanwhile, says so."""

from collections import namedtuple
from pathlib import Path

import pytest

from model_store.engines.openvino_conversion import ScoringModel, convert
from model_store.errors import ModelLoadError

MB = 1_000_000


def let_disk_have(monkeypatch: pytest.MonkeyPatch, *free: int) -> None:
    """Let the disk have so many bytes, each time that it is asked."""
    Usage = namedtuple("Usage", "free")  # noqa: PYI024  # as shutil's
    answers = iter(free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(next(answers)))


def fail_to_write(*_: object, **__: object) -> None:
    """Fail as OpenVINO does."""
    message = "basic_ios::clear: iostream error"
    raise RuntimeError(message)


def test_full_disk_is_said_before_anything_is_written(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed, what is there, and what to do."""
    let_disk_have(monkeypatch, 0)
    with pytest.raises(ModelLoadError, match=rf"needs 1 MB and {tmp_path.parent} has 0; make room"):
        convert(tiny_preset_dir, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_meanwhile_is_said_too(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may take the room: the error of the runtime does not tell."""
    monkeypatch.setattr(ScoringModel, "export", fail_to_write)
    let_disk_have(monkeypatch, MB, 0)
    with pytest.raises(ModelLoadError, match="has 0; make room"):
        convert(tiny_preset_dir, tmp_path)


def test_error_with_room_left_is_passed_on(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every failure is the disk's."""
    monkeypatch.setattr(ScoringModel, "export", fail_to_write)
    let_disk_have(monkeypatch, MB, MB)
    with pytest.raises(RuntimeError, match="basic_ios"):
        convert(tiny_preset_dir, tmp_path)
