"""docs/kubernetes.md shows what deploy/kubernetes has, and an overlay that can be built."""

import re
from pathlib import Path

from contract.documents import ROOT, code_blocks, quoted, read, read_tables
from manifests.kustomize import COMPONENTS, OVERLAYS, build, build_directory, settings_of
from manifests.test_schemas import ENDS, complain

PAGE = "docs/kubernetes.md"


def test_overlay_of_the_page_is_built_and_taken(tmp_path: Path) -> None:
    """Beside a clone of ours, as the page has it."""
    (block,) = code_blocks(PAGE, "yaml")
    (path,) = re.findall(r"^# (\S+)$", block, re.MULTILINE)
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(block)
    (tmp_path / "fillmask").symlink_to(ROOT)
    parts = build_directory((tmp_path / path).parent)
    assert settings_of(parts)["FILLMASK_ACCESS_LOG"] == "true"
    assert [complaint for version in ENDS for complaint in complain(parts, version)] == []


def test_every_part_has_its_row() -> None:
    """What can be applied, and what can be added to it."""
    rows = [quoted(row[0])[0] for row in read_tables(PAGE, "part")]
    assert sorted(rows) == sorted([*OVERLAYS, *(f"components/{name}" for name in COMPONENTS)])


def test_versions_are_those_that_are_checked() -> None:
    """The oldest and the newest of which there are schemas."""
    (found,) = re.findall(r"schemas of Kubernetes (\S+) and (\S+) and", read(PAGE))
    assert [f"{version}.0" for version in found] == ENDS


def test_target_is_the_one_that_capacity_recommends() -> None:
    """The page about capacity says which number is a start, and the autoscaler has it."""
    (start,) = re.findall(
        r"So \*\*(\d+) and \d+\*\* are a start", read("docs/scaling.md").replace("\n", " ")
    )
    (shown,) = re.findall(r"- \*\*(\d+) texts\*\* wait", read(PAGE))
    (metric,) = build("deployment")["HorizontalPodAutoscaler", "fillmask"]["spec"]["metrics"]
    assert metric["pods"]["target"]["averageValue"] == start == shown
