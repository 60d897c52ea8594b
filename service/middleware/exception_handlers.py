"""THE table: which error is which status and code, and how it looks on the wire.

Overload is 429 and a failed fetch 502, never 503: a widely used client retries 503 without end.
"""

import reprlib
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from model_store import errors as model_errors
from service.errors import exceptions as errors

TABLE: dict[type[Exception], tuple[int, str]] = {
    errors.RequestLimitError: (422, "invalid_request"),
    errors.TargetsMismatchError: (422, "invalid_request"),
    RequestValidationError: (422, "invalid_request"),
    model_errors.EmptyTextError: (422, "empty_text"),
    model_errors.MaskNotFoundError: (422, "mask_not_found"),
    model_errors.TooManyMasksError: (422, "too_many_masks"),
    model_errors.TextTooLongError: (422, "text_too_long"),
    model_errors.UnknownTargetError: (422, "unknown_target"),
    errors.UnauthorizedError: (401, "unauthorized"),
    errors.CallerTimeoutError: (408, "caller_timeout"),
    errors.SlowBodyError: (408, "caller_timeout"),
    errors.MalformedRequestError: (400, "invalid_request"),
    errors.HeadersTooLargeError: (431, "headers_too_large"),
    errors.HeadTimeoutError: (408, "caller_timeout"),
    errors.PayloadTooLargeError: (413, "payload_too_large"),
    errors.EncodedBodyError: (415, "invalid_request"),
    model_errors.PresetNotFoundError: (404, "preset_not_found"),
    errors.PresetUnusableError: (422, "preset_unusable"),
    model_errors.PresetUnavailableError: (502, "preset_unavailable"),
    model_errors.HeadMissingError: (500, "head_missing"),
    model_errors.HeadUnprovenError: (500, "model_load_failed"),
    model_errors.EngineUnavailableError: (500, "model_load_failed"),
    model_errors.ModelLoadError: (500, "model_load_failed"),
    model_errors.InferenceError: (500, "inference_failed"),
    errors.QueueFullError: (429, "overloaded"),
    errors.TooManyConnectionsError: (429, "overloaded"),
    errors.ShuttingDownError: (503, "shutting_down"),
    errors.EngineLostError: (502, "engine_lost"),
    errors.ModelReplacedError: (502, "preset_replaced"),
    errors.DeadlineExceededError: (504, "timeout"),
}
_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_FILL_MASK_ROUTES = frozenset({"/fill-mask", "/models/{preset}"})
_INTERNAL = (500, "internal")
_UNREADABLE_SENTENCE = (
    "The body cannot be read as JSON; send it in UTF-8, uncompressed, and not deeply nested."
)
_INTERNAL_SENTENCE = "The server failed to answer; report this with the time it happened."


def outcome(error: BaseException | None) -> str:
    """Return the label under which a request is counted: its error's code, or `ok`."""
    if error is None:
        return "ok"
    if not isinstance(error, Exception):
        return "cancelled"
    return TABLE.get(type(error), _INTERNAL)[1]


def describe_failure(error: Exception) -> dict[str, Any]:
    """Return the fields of an event about an error of the server: its code, and why.

    The sentences of known errors quote no caller, but for those of `InputError`, which are no
    failure. The message of any other may hold anything: its traceback, without, must do.
    """
    code = outcome(error)
    return {"code": code} | (
        {"exc_info": error} if code == _INTERNAL[1] else {"reason": str(error)}
    )


def add_exception_handlers(app: FastAPI) -> None:
    """Answer every error of every route in the one form of this API."""
    for error_type in TABLE:
        app.add_exception_handler(error_type, _answer_known)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_internal)


def error_response(error: Exception) -> JSONResponse:
    """Return the answer to an error; of one that is not in the table, nothing is told."""
    status, code = TABLE.get(type(error), _INTERNAL)
    sentence = _INTERNAL_SENTENCE if code == _INTERNAL[1] else str(error)
    fields: dict[str, Any] = {"error": sentence, "code": code}
    if isinstance(error, model_errors.InputError) and error.input is not None:
        fields["input"] = error.input
    headers = None
    if isinstance(error, errors.QueueFullError):
        headers = {"retry-after": str(error.retry_after_s)}
    elif isinstance(error, errors.UnauthorizedError):
        headers = {"www-authenticate": "Bearer"}
    return JSONResponse(fields, status, headers)


async def _answer_known(_: Request, error: Exception) -> JSONResponse:
    # A load that fails is logged where it fails, once for all who wait for it.
    if isinstance(error, model_errors.InferenceError):
        _LOG.error("request_failed", **describe_failure(error))
    return error_response(error)


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say in one sentence what the first thing wrong with a body is, and count it."""
    _count_invalid(request)
    status, code = TABLE[RequestValidationError]
    return JSONResponse({"error": _describe(error), "code": code}, status)


def _count_invalid(request: Request) -> None:
    """Count a refused body among the requests to fill masks, if it is one of these."""
    if request.scope["route"].path_format in _FILL_MASK_ROUTES:
        request.app.state.metrics.observe_invalid_request()


def _describe(error: Exception) -> str:
    if not isinstance(error, RequestValidationError):  # pragma: no cover  # Starlette's signature
        raise error
    found = error.errors()
    # A union reports every branch; where one has the right type, its complaint is the useful one.
    first = next((each for each in found if not each["type"].endswith("_type")), found[0])
    if first["type"] == "model_attributes_type":
        return "The body is no JSON object; send one with content-type: application/json."
    where = reprlib.repr(str(first["loc"][1]))[1:-1] if first["loc"][1:] else "the body"
    reason = str(first["msg"]).rstrip(".")
    return f"The request is not valid at {where}: {reason}; see /docs."


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses: unknown paths and methods, bodies it cannot read."""
    if not isinstance(error, HTTPException):  # pragma: no cover  # Starlette's signature
        raise error
    if error.status_code == HTTPStatus.BAD_REQUEST:
        _count_invalid(request)
        status, code = TABLE[RequestValidationError]
        return JSONResponse({"error": _UNREADABLE_SENTENCE, "code": code}, status)
    message = f"{error.detail}; GET /docs lists the routes and their methods."
    fields = {"error": message, "code": "invalid_request"}
    return JSONResponse(fields, error.status_code, error.headers)


async def _answer_internal(_: Request, error: Exception) -> JSONResponse:
    """Tell nothing of what went wrong inside; the traceback is in the log."""
    return error_response(error)
