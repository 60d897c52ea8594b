"""Results lie apart by machine, and a slow machine does less of each part."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.machine import name_kind
from bench.plan import make_full_plan
from bench.record import Row, keep, write_page

ROW = Row("base, 32 callers: requests/s", 142.0, "vLLM", 75.0, 1.89)


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({"avx2", "avx512f", "amx_bf16"}, "amx"),
        ({"avx2", "avx512f"}, "avx512"),
        ({"avx2"}, "avx2"),
        (set(), "other"),
    ],
)
def test_kind_is_the_best_unit(flags: set[str], kind: str, tmp_path: Path) -> None:
    """A GPU goes before any, and a driver without one does not count."""
    assert name_kind(flags, tmp_path) == kind
    assert name_kind(flags, tmp_path / "none") == kind
    (tmp_path / "0000:00:04.0").mkdir()
    assert name_kind(flags, tmp_path) == "gpu"


def test_results_are_kept_by_kind_and_shown(tmp_path: Path) -> None:
    """Another machine's results stay beside this one's, on one page."""
    other = tmp_path / "elsewhere"
    file = keep("vllm-base", [ROW], "python -m bench.ratios vllm", tmp_path)
    assert file == tmp_path / name_kind() / "vllm-base.json"
    other.mkdir()
    content = json.loads(file.read_text("utf-8")) | {"machine": "A slow one."}
    (other / "bench.json").write_text(json.dumps(content), "utf-8")
    page = write_page(tmp_path)
    assert f"## {name_kind()}" in page
    assert "## elsewhere" in page
    assert "A slow one." in page
    assert page.count("| base, 32 callers: requests/s | 142.0 | 75.0 vLLM | 1.89 |") == 2


def test_page_is_what_the_results_say() -> None:
    """The page is never older than the files beside it."""
    results = Path(__file__).parents[2] / "bench" / "results"
    assert (results / "README.md").read_text("utf-8") == write_page(results)


def test_windows_shrink_when_time_is_short() -> None:
    """They are whole at first, and a quarter at the least: nothing goes unmeasured."""
    plan = make_full_plan()
    assert plan.shorten(8.0) == 8.0
    late = replace(plan, started=time.monotonic() - 0.8 * plan.most_seconds)
    assert 2.0 < late.shorten(8.0) < 8.0
    assert late.engines_are_spent
    assert not late.has_time_for_more_rounds
    over = replace(plan, started=time.monotonic() - 2 * plan.most_seconds)
    assert over.is_spent
    assert over.shorten(8.0) == 2.0
