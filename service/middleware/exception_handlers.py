"""How every error of every route is answered, in the one form of this API."""

import reprlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from model_store import errors as model_errors
from service.errors.table import TABLE, describe_failure, error_fields, error_response
from service.middleware.addresses.route import find_redirection

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_TASK_ROUTES = frozenset(
    {
        "/",
        "/fill-mask",
        "/hf-inference/models/{preset}",
        "/models/{preset}",
        "/score",
        "/embed-sparse",
        "/embed_sparse",
        "/tokenize",
        "/v1/models/{name}:predict",
        "/v2/models/{name}/infer",
        "/v2/models/{name}/versions/1/infer",
    }
)
_NAMING = frozenset({"missing", "extra_forbidden"})
"""What is wrong with a field by its name, wherever in the body it is."""

_UNREADABLE_SENTENCE = "The body cannot be read as JSON; send it in UTF-8, and not deeply nested."


def add_exception_handlers(app: FastAPI) -> None:
    """Answer every error of every route in the one form of this API."""
    for error_type in TABLE:
        app.add_exception_handler(error_type, _answer_known)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_internal)


def log_failure(error: Exception) -> None:
    """Log what an error says of the server, if it does.

    A load that fails is logged where it fails, once for all who wait for it.
    """
    if isinstance(error, model_errors.InferenceError) or type(error) not in TABLE:
        _LOG.error("request_failed", **describe_failure(error))


async def _answer_known(_: Request, error: Exception) -> JSONResponse:
    log_failure(error)
    return error_response(error)


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say in one sentence what the first thing wrong with a body is, and count it."""
    if not isinstance(error, RequestValidationError):  # pragma: no cover  # Starlette's signature
        raise error
    _count_invalid(request)
    return JSONResponse(describe_error(error), TABLE[RequestValidationError][0])


def describe_error(error: Exception) -> dict[str, Any]:
    """Return what is told of an error, of a request that is not valid too."""
    if isinstance(error, RequestValidationError):
        return {"error": describe_invalid(error.errors()), "code": TABLE[RequestValidationError][1]}
    return error_fields(error)


def _count_invalid(request: Request) -> None:
    """Count a refused body among the requests for tasks, if it is one of these."""
    if request.scope["route"].path_format in _TASK_ROUTES:
        request.app.state.metrics.observe_invalid_request()


def describe_invalid(found: Sequence[Any], whole: str = "the body") -> str:
    """Say in one sentence what the first thing is that pydantic found wrong with a request.

    Args:
        found: what it found; the first part of each place is not told.
        whole: what the request was read from.
    """
    # A union reports every branch; where one has the right type, its complaint is the useful one.
    first = next((each for each in found if not each["type"].endswith("_type")), found[0])
    if first["type"] == "model_attributes_type" and first["loc"] == ("body",):
        return "The body is no JSON object; send one with content-type: application/json."
    # Between the two are indices, and names of the branches of unions.
    places = first["loc"][1:2] + (first["loc"][2:][-1:] if first["type"] in _NAMING else ())
    where = ".".join(reprlib.repr(str(place))[1:-1] for place in places) or whole
    reason = str(first["msg"]).rstrip(".")
    return f"The request is not valid at {where}: {reason}; see /docs."


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: unknown paths and methods, bodies it cannot read."""
    if not isinstance(error, HTTPException):  # pragma: no cover  # Starlette's signature
        raise error
    if error.status_code == HTTPStatus.BAD_REQUEST:
        _count_invalid(request)
        status, code = TABLE[RequestValidationError]
        return JSONResponse({"error": _UNREADABLE_SENTENCE, "code": code}, status)
    is_nowhere = error.status_code == HTTPStatus.NOT_FOUND
    if is_nowhere and (address := find_redirection(request.scope)):
        return RedirectResponse(address)
    message = f"{error.detail}; GET /docs lists the routes and their methods."
    fields = {"error": message, "code": "invalid_request"}
    return JSONResponse(fields, error.status_code, error.headers)


async def _answer_internal(_: Request, error: Exception) -> JSONResponse:
    """Tell nothing of what went wrong inside; the traceback is in the log."""
    return error_response(error)
