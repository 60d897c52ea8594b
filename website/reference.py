"""The reference of the API, from openapi.yaml: what it says, as tables.

Plain pages need no script of a third party, are found by the site's own search, and can be read
without one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
"""A part of the description: an object of JSON."""

_HEAD = """# API reference

Made from [openapi.yaml](openapi.yaml), which programs read. [API](api.md) explains all of it, with
examples.
"""
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "of the form `{}`",
}


def render_reference(described: Schema) -> str:
    """Return the whole page.

    Args:
        described: what openapi.yaml holds.
    """
    routes = [
        part
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        for part in _render_operation(f"{method.upper()} {path}", operation)
    ]
    bodies = [
        part
        for name, schema in sorted(described["components"]["schemas"].items())
        for part in _render_schema(name, schema)
    ]
    return "\n".join([_HEAD, "## Routes\n", *routes, "## Bodies\n", *bodies])


def name_type(schema: Schema) -> str:
    """Return the type of a value as words, with links to the bodies that it names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return " or ".join(f"`{value}`" for value in values)
    for choices in ("anyOf", "oneOf", "allOf"):
        if choices in schema:
            named = " or ".join(map(name_type, schema[choices]))
            return " or ".join(dict.fromkeys(named.split(" or ")))
    return _name_plain(schema)


def _name_plain(schema: Schema) -> str:
    match schema:
        case {"type": "array", "items": dict(items)}:
            return f"list of {name_type(items)}"
        case {"type": "array", "prefixItems": list(items)}:
            return f"list of {', '.join(map(name_type, items))}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {name_type(values)}"
        case {"type": list(names)}:
            return " or ".join(names)
        case {"type": str(name)}:
            return name
        case _:
            return "anything"


def _render_operation(route: str, operation: Schema) -> Iterator[str]:
    yield f"### `{route}`\n"
    yield f"{operation.get('description') or operation['summary']}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "| parameter | in | type | meaning |\n|---|---|---|---|"
        for parameter in parameters:
            schema = parameter["schema"]
            words = parameter.get("description") or schema.get("description", "")
            cells = (f"`{parameter['name']}`", parameter["in"], name_type(schema), words)
            yield _row(*cells)
        yield ""
    for content_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: `{content_type}`, {name_type(body.get('schema', {}))}.\n"
    yield "| status | answer |\n|---|---|"
    for status, answer in operation["responses"].items():
        bodies = [
            f"`{content_type}`: {name_type(body.get('schema', {}))}"
            for content_type, body in answer.get("content", {}).items()
        ]
        yield _row(f"`{status}`", "; ".join(bodies) or answer["description"])
    yield ""


def _render_schema(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield f"{schema['description']}\n"
    if "properties" not in schema:
        yield f"{name_type(schema)}.\n"
        return
    required = schema.get("required", [])
    yield "| field | type | if left out | meaning |\n|---|---|---|---|"
    for field, value in schema["properties"].items():
        default = value.get("default")
        missing = "required" if field in required else "" if default is None else f"`{default}`"
        yield _row(f"`{field}`", name_type(value), missing, _explain(value))
    yield ""


def _explain(schema: Schema) -> str:
    """Return what a schema says of a value, and its bounds."""
    bounds = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    said = schema.get("description", "").strip()
    return " ".join([said, *([f"({', '.join(bounds)})"] if bounds else [])]).strip()


def _row(*cells: str) -> str:
    shown = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"
