"""What the OpenAPI document says of all interfaces: keys, headers, and how they refuse.

Generators of clients read it. What operations share is a component, so that they get one type for
it.
"""

from typing import Any

from service.errors.table import INTERNAL, TABLE
from service.routes.schemas import ErrorResponse

DESCRIPTION = """\
Which tokens belong at each `[MASK]`? Every error is one sentence and a code.
A body may be packed by gzip, with `content-encoding: gzip`.
"""

TAGS = [
    {"name": "fill-mask", "description": "The native interface: the tokens that belong at masks."},
    {"name": "score", "description": "How likely whole texts are."},
    {"name": "embed-sparse", "description": "Sparse vectors of texts."},
    {"name": "hugging face", "description": "What Hugging Face's clients ask."},
    {"name": "text-embeddings-inference", "description": "What its clients ask."},
    {"name": "kserve v1", "description": "KServe's first protocol."},
    {"name": "open inference", "description": "The protocol of Triton, KServe and MLServer."},
    {"name": "presets", "description": "Which models there are; loading and unloading them."},
    {"name": "operations", "description": "What a platform asks."},
]

ADMIN: dict[str, Any] = {"security": [{"admin_key": []}]}
"""What is said of an operation that takes an admin key in any case."""

_HEADERS = {
    "x-request-id": ("string", "The caller's own, or one that was made. The log has it too."),
    "server-timing": ("string", "How long each stage took, in milliseconds."),
    "retry-after": ("integer", "Seconds to wait before the next try."),
    "www-authenticate": ("string", "How a key is sent."),
}
_HEADERS_OF_ERRORS = {"401": ["www-authenticate"], "429": ["retry-after"]}
_OTHERS = {"4XX": "Something is to be mended in the request.", "5XX": "The server failed."}

Answers = dict[int | str, dict[str, Any]]


def _refuse(*statuses: int) -> Answers:
    """Return how an operation refuses."""
    return {status: _refer(status) for status in map(str, statuses)}


def _refer(status: str) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/Error{status}", "description": _describe(status)}


def _describe(status: str) -> str:
    codes = {code for each, code in (*TABLE.values(), INTERNAL) if str(each) == status}
    return _OTHERS.get(status) or f"Its code: {', '.join(f'`{code}`' for code in sorted(codes))}."


def answer_headers(*names: str) -> dict[str, Any]:
    """Return the headers of an answer: these, and the one that all answers have."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", *names)}


ANY_ANSWERS: Answers = {200: {"headers": answer_headers()}, **_refuse(401)} | {
    status: _refer(status) for status in _OTHERS
}
"""What is said of every operation."""

TASK_ANSWERS: Answers = {
    200: {"headers": answer_headers("server-timing")},
    **_refuse(404, 408, 413, 415, 422, 429, 500, 502, 503, 504),
}
"""What is said of an operation that asks a model."""

PRESET_ANSWERS = _refuse(404)
"""What is said of an operation that looks at a preset."""

READY_ANSWERS = _refuse(404, 409)
"""What is said of an operation that asks whether a preset is loaded."""

LOAD_ANSWERS = _refuse(404, 408, 413, 415, 422, 500, 502, 503, 504)
"""What is said of an operation that loads or unloads a preset."""


def shared_parts() -> dict[str, Any]:
    """Return the parts of the document that no route brings."""
    statuses = sorted({str(status) for status, _ in (*TABLE.values(), INTERNAL)})
    return {
        # Servers may be open to all: to show a key is one of two ways.
        "security": [{"key": []}, {}],
        "components": {
            "securitySchemes": {
                "key": _bearer("One of `FILLMASK_API_KEYS`, where the server asks for it."),
                "admin_key": _bearer("One of `FILLMASK_ADMIN_KEYS`, for what changes the server."),
            },
            "headers": {
                name: {"description": said, "schema": {"type": kind}}
                for name, (kind, said) in _HEADERS.items()
            },
            "responses": {f"Error{status}": _error(status) for status in (*statuses, *_OTHERS)},
            "schemas": {ErrorResponse.__name__: ErrorResponse.model_json_schema()},
        },
    }


def _bearer(description: str) -> dict[str, str]:
    return {"type": "http", "scheme": "bearer", "description": description}


def _error(status: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{ErrorResponse.__name__}"}
    return {
        "description": _describe(status),
        "headers": answer_headers(*_HEADERS_OF_ERRORS.get(status, [])),
        "content": {"application/json": {"schema": schema}},
    }
