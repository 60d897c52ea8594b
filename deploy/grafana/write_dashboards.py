"""Writes Grafana's dashboards anew from panels.py: `make dashboards`.

A query stands for every server that is chosen above a dashboard. `docs/operations.md` says what to
look at when, and in which of them.

    write_dashboards.py [DIRECTORY]
"""

import json
import sys
from pathlib import Path
from typing import Any

from panels import DASHBOARDS, Panel

SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS, WIDTH, HEIGHT = 3, 8, 8


def dashboard(name: str, title: str, panels: list[Panel]) -> dict[str, Any]:
    """Return what Grafana reads."""
    return {
        "uid": f"fillmask-{name}",
        "title": f"fillmask: {title}",
        "tags": ["fillmask"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "title": "fillmask",
                "type": "dashboards",
                "tags": ["fillmask"],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "templating": {
            "list": [
                _variable("job", "label_values(fill_mask_loaded_bytes, job)"),
                _variable(
                    "instance",
                    'label_values(fill_mask_loaded_bytes{job="$job"}, instance)',
                    multi=True,
                    includeAll=True,
                    allValue=".*",
                    current={"text": "All", "value": "$__all"},
                ),
            ]
        },
        "panels": [_draw(number, panel) for number, panel in enumerate(panels)],
    }


def _variable(name: str, query: str, **more: Any) -> dict[str, Any]:
    """Return a choice above the panels."""
    given = {"name": name, "type": "query", "label": name.capitalize(), "datasource": SOURCE}
    return {**given, "query": query, "refresh": 2, **more}


def _draw(number: int, panel: Panel) -> dict[str, Any]:
    """Return a panel, at its place in three columns."""
    line, column = divmod(number, COLUMNS)
    stacking = {"mode": "normal" if panel.is_stacked else "none"}
    custom = {"fillOpacity": 10, "showPoints": "never", "stacking": stacking}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": column * WIDTH, "y": line * HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": custom},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for place, (legend, expr) in enumerate(panel.queries.items())
        ],
    }


def main(directory: Path) -> None:
    """Write every dashboard."""
    for name, (title, panels) in DASHBOARDS.items():
        written = json.dumps(dashboard(name, title, panels), indent=2)
        (directory / f"{name}.json").write_text(f"{written}\n", "utf-8")


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if sys.argv[1:] else Path(__file__).with_name("dashboards"))
