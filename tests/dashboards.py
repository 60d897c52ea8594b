"""Grafana's dashboards, as they are deployed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"


@dataclass(frozen=True, slots=True)
class Query:
    """One line, or one bundle of lines, of a panel.

    Attributes:
        place: which dashboard, panel and query.
        expression: PromQL with Grafana's variables in it.
        labels: which labels its legend shows.
    """

    place: str
    expression: str
    labels: frozenset[str]

    def ask(self, variables: Mapping[str, str]) -> str:
        """Return PromQL with the variables filled in."""
        return fill_in(self.expression, variables)


def read_dashboards() -> dict[str, Any]:
    """Return every dashboard by the name of its file."""
    paths = sorted(DIRECTORY.glob("*.json"))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in paths}


def read_queries() -> list[Query]:
    """Return every query of every panel."""
    return [
        Query(
            f"{dashboard['title']} / {panel['title']} / {target['refId']}",
            target["expr"],
            frozenset(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])),
        )
        for dashboard in read_dashboards().values()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def fill_in(text: str, variables: Mapping[str, str]) -> str:
    """Put values in the place of variables; none may be left."""
    for name, value in variables.items():
        text = text.replace(f"${name}", value)
    assert "$" not in text, text
    return text
