"""The reference of the API says all that openapi.yaml says."""

import re
from typing import Any

import pytest
import yaml

from contract.documents import read
from website.reference import name_type, render_reference

DESCRIBED = yaml.safe_load(read("openapi.yaml"))
PAGE = render_reference(DESCRIBED)


def test_every_route_and_body_has_its_section() -> None:
    """In the order of the file, bodies by name."""
    sections = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    routes = [
        f"`{method.upper()} {path}`"
        for path, operations in DESCRIBED["paths"].items()
        for method in operations
    ]
    assert sections == [*routes, *sorted(DESCRIBED["components"]["schemas"])]


def test_every_field_has_its_row() -> None:
    """Under the body that it belongs to."""
    bodies = PAGE.partition("## Bodies")[2]
    for name, schema in DESCRIBED["components"]["schemas"].items():
        section = re.split(r"^### ", bodies, flags=re.MULTILINE)
        (mine,) = [part for part in section if part.startswith(f"{name}\n")]
        rows = re.findall(r"^\| `([^`]+)` \|", mine, re.MULTILINE)
        assert rows == list(schema.get("properties", {}))


def test_every_body_that_is_named_is_there() -> None:
    """Links within the page lead to its headings."""
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert linked
    assert linked <= headings


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Body"}, "[Body](#body)"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 2}]}, "string"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
         "list of string, integer"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"const": "text"}, "`text`"),
        ({"type": ["string", "null"]}, "string or null"),
        ({}, "anything"),
    ],
)  # fmt: skip
def test_type_is_named(schema: dict[str, Any], words: str) -> None:
    """In words, with links to bodies."""
    assert name_type(schema) == words


def test_bounds_and_defaults_are_said() -> None:
    """What a value may be, and what it is where it is left out."""
    body = {
        "required": ["text"],
        "properties": {
            "text": {"type": "string", "maxLength": 3, "description": "One | two."},
            "k": {"type": "integer", "minimum": 1, "default": 5},
        },
    }
    page = render_reference({"paths": {}, "components": {"schemas": {"Body": body}}})
    assert r"| `text` | string | required | One \| two. (at most 3 characters) |" in page
    assert "| `k` | integer | `5` | (at least 1) |" in page
