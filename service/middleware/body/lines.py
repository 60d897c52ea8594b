"""Which bodies are lines, each a request of its own: these may be as long as they like."""

from starlette.types import Scope

from service.middleware.addresses.root_path import path_of

LINES_TYPE = "application/x-ndjson"
LINES_PATH = "/fill-mask"


def is_of_lines(scope: Scope) -> bool:
    """Say whether a request's body is read line by line; any other is read as a whole."""
    return (
        path_of(scope) == LINES_PATH and scope["method"] == "POST" and _type_of(scope) == LINES_TYPE
    )


def _type_of(scope: Scope) -> str:
    header: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return header.decode("latin-1").partition(";")[0].strip().lower()
