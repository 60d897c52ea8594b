"""The page for those who leave Elasticsearch maps its fields to fields that there are."""

import json
import re
from typing import Any

from contract.documents import code_blocks, quoted, read_tables
from service.app import create_app
from service.settings import Settings

PAGE = "docs/elasticsearch.md"


def test_answer_is_translated_as_the_table_says() -> None:
    """The code of the page, on the answer that the README shows, against the rows of the table."""
    shown, *_ = code_blocks("README.md", "json")
    answer = json.loads(shown)
    [code] = code_blocks(PAGE, "python")
    names: dict[str, Any] = {}
    exec(compile(code, PAGE, "exec"), names)  # noqa: S102  # what our own document shows
    [result] = names["to_elasticsearch"](answer)["inference_results"]
    checked = set()
    for theirs, ours in read_tables(PAGE, "Elasticsearch"):
        place = (quoted(ours) or [""])[0]
        if not place.startswith("results[i].masks"):
            continue
        field = quoted(theirs)[0]
        for j in (0, 1):
            assert find(result, field, j) == find(answer, place, j)
        checked.add(field.partition("[")[0])
    assert checked | {"top_classes"} == set(result)


def test_named_fields_are_those_of_the_route() -> None:
    """Every name on the right is in the schema of a body, or of a setting of the request."""
    schemas = create_app(Settings()).openapi()["components"]["schemas"].values()
    fields = {name for schema in schemas for name in schema.get("properties", {})}
    named = {
        name
        for theirs, ours in read_tables(PAGE, "Elasticsearch")
        for place in quoted(ours)[:1]
        if "-" not in place
        for name in re.findall(r"[a-z_]{2,}", place)
        if theirs
    }
    assert named
    assert named <= fields


def find(answer: Any, place: str, j: int) -> Any:
    """Return what is at a place like `results[i].masks[0]`."""
    for name, index in re.findall(r"(\w+)(?:\[(\w)\])?", place):
        answer = answer[name]
        if index:
            answer = answer[{"i": 0, "j": j}.get(index, 0)]
    return answer
