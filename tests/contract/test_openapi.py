"""The OpenAPI document in the repository is that of the app, and good for generators of clients."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from contract.documents import read
from service.app import create_app
from service.settings import Settings

DOCUMENT: dict[str, Any] = yaml.safe_load(read("openapi.yaml"))
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}
each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)

ADMINS = {"load_preset", "unload_preset", "list_repository", "load_model", "unload_model"}
LINES = "application/x-ndjson"


def test_document_is_the_apps() -> None:
    """Whoever generates a client from the file gets what the server speaks: make openapi."""
    assert create_app(Settings()).openapi() == DOCUMENT


def test_document_is_valid() -> None:
    """By the specification."""
    validate(DOCUMENT)


def test_document_stays_the_same_when_it_is_asked_for_again() -> None:
    """The server keeps it, and adds what is shared once."""
    app = create_app(Settings())
    assert app.openapi() == app.openapi() == DOCUMENT


def test_every_operation_has_an_id_of_its_own() -> None:
    """A name that a function may have: as many as there are operations."""
    assert len(OPERATIONS) == sum(map(len, DOCUMENT["paths"].values()))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in OPERATIONS)


@each_operation
def test_operation_says_what_it_does(operation: dict[str, Any]) -> None:
    """In a sentence, below a tag that is described."""
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    [tag] = operation["tags"]
    assert described[tag].endswith(".")
    assert operation["description"].endswith(".")


@each_operation
def test_operation_says_how_it_refuses(operation: dict[str, Any]) -> None:
    """Every error is of one schema, and every answer has the id of its request."""
    answers = {status: resolve(answer) for status, answer in operation["responses"].items()}
    assert {"200", "401", "4XX", "5XX"} <= answers.keys()
    for status, answer in answers.items():
        assert "x-request-id" in answer["headers"]
        if status != "200":
            (schema,) = [media["schema"] for media in answer["content"].values()]
            assert schema == {"$ref": "#/components/schemas/ErrorResponse"}


@each_operation
def test_operation_has_examples(operation: dict[str, Any]) -> None:
    """Of what is sent and of what is answered, as their schemas have it."""
    media = list(list_media(operation))
    assert media
    for kind, content in media:
        if kind == "application/octet-stream":
            continue
        examples = list(list_examples(content["schema"], content))
        assert examples
        if kind == "application/json":
            for schema, example in examples:
                whole = schema | {"components": DOCUMENT["components"]}
                Draft202012Validator(whole).validate(add_nulls(example, schema))


def test_admin_keys_are_asked_for_where_something_changes() -> None:
    """Elsewhere a key is one of two ways: a server may be open to all."""
    assert {name for name, operation in OPERATIONS.items() if "security" in operation} == ADMINS
    assert all(OPERATIONS[name]["security"] == [{"admin_key": []}] for name in ADMINS)
    assert DOCUMENT["security"] == [{"key": []}, {}]
    assert DOCUMENT["components"]["securitySchemes"].keys() == {"key", "admin_key"}


def test_headers_are_described() -> None:
    """The caller's patience; when to come again; where the time went."""
    filling = OPERATIONS["fill_mask"]
    assert [each["name"] for each in filling["parameters"]] == ["x-request-timeout-s"]
    assert filling["parameters"][0]["schema"]["type"] == "number"
    assert "server-timing" in filling["responses"]["200"]["headers"]
    assert "retry-after" in resolve(filling["responses"]["429"])["headers"]


def test_lines_are_described() -> None:
    """As what is sent; the answer of all other callers stays one type."""
    filling = OPERATIONS["fill_mask"]
    assert (
        "an error with its `line`"
        in filling["requestBody"]["content"][LINES]["schema"]["description"]
    )
    assert filling["responses"]["200"]["content"].keys() == {"application/json"}


def add_nulls(example: Any, schema: dict[str, Any]) -> Any:
    """Return an example with the nulls that FastAPI drops from it."""
    schema = resolve(schema)
    if isinstance(example, list):
        return [add_nulls(each, schema.get("items", {})) for each in example]
    if not isinstance(example, dict):
        return example
    fields: dict[str, Any] = schema.get("properties", {})
    dropped = {
        name
        for name in schema.get("required", [])
        if {"type": "null"} in fields[name].get("anyOf", [])
    }
    said = {name: add_nulls(value, fields.get(name, {})) for name, value in example.items()}
    return dict.fromkeys(dropped) | said


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """Return what a part refers to, or the part itself."""
    if "$ref" not in part:
        return part
    found = DOCUMENT
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def list_media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every form of what is sent to an operation, and of its answers."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for answer in operation["responses"].values():
        yield from resolve(answer)["content"].items()


def list_examples(
    schema: dict[str, Any], holder: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the examples of a schema, or else of its parts, each with what it is one of."""
    if "example" in holder:
        yield schema, holder["example"]
        return
    found = resolve(schema)
    if "examples" in found:
        yield from ((found, example) for example in found["examples"])
        return
    parts = [found["items"]] if "items" in found else found.get("anyOf", [])
    for part in parts:
        yield from list_examples(part, {})
