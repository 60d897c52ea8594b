"""A long run of a real engine, killed twice: whole, in order, and no larger than at its start."""

from pathlib import Path

import pytest

from bench.bulk_kills import run_until, verify, write_texts
from bench.shapes import TINY, make_presets

ROWS = 60_000


@pytest.mark.slow
def test_run_is_whole_after_two_kills_and_stays_flat(tmp_path: Path) -> None:
    """Each answer in its place, none twice; the memory of the end is that of the beginning."""
    make_presets(tmp_path / "presets", (TINY,))
    write_texts(tmp_path / "texts.txt", ROWS)
    parts = [
        run_until(tmp_path, bytes_, tmp_path) for bytes_ in (ROWS * 50, ROWS * 90, float("inf"))
    ]
    assert [part.rows > 0 for part in parts] == [True] * 3
    assert sum(part.rows for part in parts) == ROWS
    assert verify(tmp_path, ROWS) == ROWS // 1000
    last = [each for each in parts[-1].memory if each]
    assert max(last[len(last) // 2 :]) < 1.1 * max(last[: len(last) // 2])
