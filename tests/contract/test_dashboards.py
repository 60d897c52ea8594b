"""The dashboards show every metric that there is, and Grafana can draw what they ask for."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import ROOT, quoted, read, read_tables
from dashboards import DIRECTORY, read_dashboards, read_queries
from service.app import create_app
from service.middleware.exception_handlers import _TASK_ROUTES
from service.routes.grpc.wire import grpc_service_pb2
from service.settings import Settings
from service.telemetry.metrics import Metrics

UNITS = {"reqps", "ops", "s", "bytes", "short", "percentunit", "bool_yes_no", "bool_on_off"}
"""Those of Grafana's that are in use."""

SCHEMA_VERSIONS = range(36, 42)
"""Panels name their data sources by uid since the first; Grafana 12 knows the last."""

COLUMNS = 24
LEAST_WORDS = 5
DASHBOARDS = read_dashboards()


def test_files_are_those_that_are_written(tmp_path: Path) -> None:
    """Whoever changes a panel changes deploy/grafana/panels.py: make dashboards."""
    script = ROOT / "deploy/grafana/write_dashboards.py"
    subprocess.run([sys.executable, "-B", str(script), str(tmp_path)], check=True, timeout=600)  # noqa: S603
    assert read_files(tmp_path) == read_files(DIRECTORY)


def test_every_metric_is_on_a_panel() -> None:
    """Or docs/metrics.md says why not; nothing is asked for that no server has."""
    shown = {name for query in read_queries() for name in names_in(query.expression)}
    left_out = {
        name for cell, _ in read_tables("docs/metrics.md", "not shown") for name in quoted(cell)
    }
    documented = {quoted(row[0])[0] for row in read_tables("docs/metrics.md", "metric")}
    assert shown <= series() | {"up"}
    assert {base(name) for name in shown} | left_out == documented | {"up"}
    assert left_out & shown == set()


def test_no_two_have_one_name() -> None:
    """Dashboards by uid and title, panels by what documents call them."""
    panels = [panel["title"] for each in DASHBOARDS.values() for panel in each["panels"]]
    uids = [each["uid"] for each in DASHBOARDS.values()]
    titles = [each["title"] for each in DASHBOARDS.values()]
    for names in (panels, uids, titles):
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboard_is_one_that_grafana_draws(name: str) -> None:
    """Its form is known, ids are its panels' own, and no panel covers another one."""
    dashboard = DASHBOARDS[name]
    assert dashboard["schemaVersion"] in SCHEMA_VERSIONS
    assert len(dashboard["uid"]) <= 40
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    covered = [place for panel in dashboard["panels"] for place in places(panel["gridPos"])]
    assert len(set(covered)) == len(covered)
    assert {x for x, _ in covered} <= set(range(COLUMNS))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panel_says_what_it_shows(name: str) -> None:
    """A unit that Grafana knows, a sentence, and lines of their own for each query."""
    for panel in DASHBOARDS[name]["panels"]:
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert len(panel["description"].split()) >= LEAST_WORDS, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        for key in ("refId", "legendFormat", "expr"):
            values = [target[key] for target in panel["targets"]]
            assert values
            assert len(set(values)) == len(values), panel["title"]


def test_all_ask_the_provisioned_data_source() -> None:
    """Panels, queries and variables name what Grafana is given; it lies in Compose's network."""
    given = "deploy/grafana/provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(read(given))["datasources"]
    asked = [found for each in DASHBOARDS.values() for found in find_sources(each)]
    assert len(asked) > len(read_queries())
    assert {(found["type"], found["uid"]) for found in asked} == {(source["type"], source["uid"])}
    host = re.findall(r"^http://(\w+):9090$", source["url"])
    assert host == ["prometheus"]
    assert host[0] in compose()


def test_compose_puts_dashboards_where_grafana_looks() -> None:
    """The folder of the provider is the one that is mounted."""
    (provider,) = yaml.safe_load(read("deploy/grafana/provisioning/dashboards/fillmask.yml"))[
        "providers"
    ]
    mounted = f"./{DIRECTORY.relative_to(ROOT)}:{provider['options']['path']}:ro"
    assert mounted in compose()["grafana"]["volumes"]


def test_routes_of_tasks_are_those_of_the_service() -> None:
    """What divides requests by answers has every route that takes a task, and no other."""
    (expression,) = [q.expression for q in read_queries() if "Requests of one answer" in q.place]
    (pattern,) = re.findall(r'route=~"([^"]+)"', expression)
    routes = {route.path_format for route in create_app(Settings()).named_routes}
    assert {route for route in routes if re.fullmatch(pattern, route)} == _TASK_ROUTES
    descriptor = grpc_service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    methods = {f"/{descriptor.full_name}/{method.name}" for method in descriptor.methods}
    (task,) = (method for method in methods if re.fullmatch(pattern, method))
    assert task.endswith("/ModelInfer")


def test_operations_say_what_to_look_at() -> None:
    """Every dashboard has its row, and every panel that is named is there."""
    rows = read_tables("docs/operations.md", "dashboard")
    assert [row[0] for row in rows] == [
        DASHBOARDS[name]["title"].removeprefix("fillmask: ")
        for name in ("traffic", "queue", "models", "tasks", "processes")
    ]
    titles = {panel["title"] for each in DASHBOARDS.values() for panel in each["panels"]}
    tables = [*rows, *read_tables("docs/operations.md", "alert")]
    named = {name for row in tables for cell in row for name in re.findall(r'"([^"]+)"', cell)}
    assert named
    assert named <= titles


def read_files(directory: Path) -> dict[str, str]:
    """Return the texts of a folder by their names."""
    return {path.name: path.read_text("utf-8") for path in directory.glob("*.json")}


def names_in(expression: str) -> set[str]:
    """Return the series that are asked for."""
    return set(re.findall(r"\b(?:fill_mask|process)_\w+|\bup\b(?={)", expression))


def base(name: str) -> str:
    """Return the metric of a series."""
    return re.sub(r"_(?:bucket|sum|count)$", "", name)


def series() -> set[str]:
    """Return the names that a server's series have."""
    metrics = Metrics(outcome=lambda _: "ok", queue_size=lambda: 0, queue_age=lambda: 0)
    families = list(metrics._registry.collect())
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    histograms = {each.name for each in families if each.type == "histogram"}
    return names | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}


def places(position: dict[str, int]) -> list[tuple[int, int]]:
    """Return the cells of the grid that a panel covers."""
    xs = range(position["x"], position["x"] + position["w"])
    ys = range(position["y"], position["y"] + position["h"])
    return [(x, y) for x in xs for y in ys]


def find_sources(value: Any) -> list[dict[str, str]]:
    """Return every data source that is named anywhere inside."""
    if isinstance(value, list):
        return [found for each in value for found in find_sources(each)]
    if not isinstance(value, dict):
        return []
    own = [value["datasource"]] if "datasource" in value else []
    return own + [found for each in value.values() for found in find_sources(each)]


def compose() -> Any:
    """Return the services of the Compose file."""
    return yaml.safe_load(read("docker-compose.yml"))["services"]
