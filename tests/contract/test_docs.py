"""The documents list everything that there is, and nothing else."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract.documents import DOCUMENTS, ROOT, quoted, read, read_tables
from service.app import create_app
from service.errors.table import INTERNAL, TABLE
from service.settings import Settings
from service.telemetry.metrics import Metrics

LEAST_WORDS = 8
"""Fewer than these say no more than the name."""

API_PAGES = ("docs/api.md", "docs/hugging-face.md", "docs/open-inference.md")


def test_every_setting_is_documented_with_its_default() -> None:
    """The table in docs/configuration.md has the names and defaults of Settings, in its order."""
    documented = [
        (quoted(name)[0], "".join(quoted(default)) or default)
        for name, default, _ in read_tables("docs/configuration.md", "setting")
    ]
    assert documented == [
        (f"FILLMASK_{name.upper()}", show_default(field.default))
        for name, field in Settings.model_fields.items()
    ]


def test_every_setting_has_its_reason_to_change() -> None:
    """When to change it stands once for each, in words enough to be of use."""
    rows = read_tables("docs/configuration.md", "change")
    assert sorted(name for names, _ in rows for name in quoted(names)) == sorted(
        f"FILLMASK_{name.upper()}" for name in Settings.model_fields
    )
    assert [names for names, when in rows if len(when.split()) < LEAST_WORDS] == []


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    """The table in docs/metrics.md is what a server registers."""
    documented = {
        quoted(name)[0]: (kind, tuple(quoted(labels)))
        for name, kind, labels, _ in read_tables("docs/metrics.md", "metric")
    }
    registry = Metrics(outcome=lambda _: "ok", queue_size=lambda: 0, queue_age=lambda: 0)._registry
    labels = {
        name: tuple(collector._labelnames)
        for collector, names in registry._collector_to_names.items()
        for name in names
    }
    assert documented == {
        f"{family.name}_total" if family.type == "counter" else family.name: (
            family.type,
            labels.get(family.name, ()),
        )
        for family in registry.collect()
    }


def test_every_metric_has_its_reading() -> None:
    """What a value tells and what to do stands once for each, in words enough to be of use."""
    documented = [quoted(row[0])[0] for row in read_tables("docs/metrics.md", "metric")]
    rows = read_tables("docs/metrics.md", "metrics")
    assert sorted(name for names, _ in rows for name in quoted(names)) == sorted(documented)
    assert [names for names, told in rows if len(told.split()) < LEAST_WORDS] == []


def test_every_error_code_is_documented_with_its_status() -> None:
    """The table in docs/api.md is the table of the service, and the code of what is not in it."""
    documented = {
        (quoted(code)[0], int(status)) for code, status, _ in read_tables("docs/api.md", "code")
    }
    assert documented == {(code, status) for status, code in (*TABLE.values(), INTERNAL)}


def test_every_event_of_the_log_is_documented() -> None:
    """The table in docs/operations.md has every event that the code logs, and no other."""
    documented = {
        name for events, *_ in read_tables("docs/operations.md", "event") for name in quoted(events)
    }
    assert documented == {
        event
        for package in ("service", "model_store", "fillmask")
        for path in (ROOT / package).rglob("*.py")
        for event in logged_events(ast.parse(path.read_text("utf-8")))
    }


def logged_events(module: ast.Module) -> Iterator[str]:
    """Yield the first argument of every call of a method of a module's logger."""
    for node in ast.walk(module):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="_LOG")),
                args=[ast.Constant(value=str(event)), *_],
            ):
                yield event
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_LOG"))):
                message = f"an event without a name in line {node.lineno}"
                raise AssertionError(message)


def test_every_route_has_its_section() -> None:
    """The headings of the pages on the API are the routes of the app."""
    documented = [
        route
        for page in API_PAGES
        for route in re.findall(r"^## `([A-Z]+ \S+)`$", read(page), re.MULTILINE)
    ]
    served = [
        f"{method.upper()} {path}"
        for path, methods in openapi()["paths"].items()
        for method in methods
    ]
    assert sorted(documented) == sorted(served)


def test_every_field_is_documented() -> None:
    """The tables of the pages on the API have every field of every body, and no other."""
    documented = {
        name
        for page in API_PAGES
        for field, *_ in read_tables(page, "field")
        for name in quoted(field)
    }
    schemas = openapi()["components"]["schemas"].values()
    wire = {name for schema in schemas for name in schema.get("properties", {})}
    assert documented == wire - {"status"}  # the probes' answers are shown whole


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Every relative link of a document is a file here, and its anchor a heading there."""
    for target in re.findall(r"\]\(([^)]+)\)", read(document)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


def openapi() -> dict[str, Any]:
    """Return what the app says of itself."""
    return create_app(Settings()).openapi()


def show_default(value: object) -> str:
    """Return a default as the table shows it."""
    if value in (None, (), ""):
        return "unset"
    return str(value).lower() if isinstance(value, bool) else str(value)
