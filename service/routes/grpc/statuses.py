"""Which status of HTTP is which one of gRPC: the table of errors has those of HTTP."""

from typing import Any

from grpc import StatusCode

STATUSES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    404: StatusCode.NOT_FOUND,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,
    415: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    431: StatusCode.RESOURCE_EXHAUSTED,
    500: StatusCode.INTERNAL,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


def write_metadata(fields: dict[str, Any], headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what is told behind an error: its code and what locates it, and headers of HTTP."""
    told = {name: str(value) for name, value in fields.items() if name != "error"}
    return tuple((told | headers).items())
