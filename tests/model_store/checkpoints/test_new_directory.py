"""A directory appears whole or not at all."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from model_store.checkpoints.new_directory import new_directory


def test_it_appears_at_the_end(tmp_path: Path) -> None:
    """Until then nobody can take it for a preset."""
    with new_directory(tmp_path / "preset") as unfinished:
        (unfinished / "config.json").write_text("{}")
        assert not (tmp_path / "preset").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["preset", "config.json"]


def write(directory: Path, *, meanwhile: Callable[[], None]) -> None:
    """Write a file into a new directory, and let something happen."""
    with new_directory(directory) as unfinished:
        (unfinished / "config.json").write_text("ours")
        meanwhile()


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    """Neither the directory nor what was written so far, whoever ended it."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "preset", meanwhile=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_what_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    """Of two that write at once, the first one's stays."""

    def write_theirs() -> None:
        (tmp_path / "preset").mkdir()
        (tmp_path / "preset" / "config.json").write_text("theirs")

    with pytest.raises(OSError, match="preset"):
        write(tmp_path / "preset", meanwhile=write_theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]
    assert (tmp_path / "preset" / "config.json").read_text() == "theirs"


def test_parents_are_made(tmp_path: Path) -> None:
    """As far as they are missing."""
    with new_directory(tmp_path / "a" / "b"):
        pass
    assert (tmp_path / "a" / "b").is_dir()


def test_others_may_read_it(tmp_path: Path) -> None:
    """As every directory that `mkdir` makes: a server often runs as somebody else."""
    (tmp_path / "made").mkdir()
    with new_directory(tmp_path / "preset"):
        pass
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
