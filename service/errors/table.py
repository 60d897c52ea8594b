"""THE table: which error is which status and code, and how it looks on the wire.

Overload is 429 and a failed fetch 502, never 503: a widely used client retries 503 without end.
"""

from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from model_store import errors as model_errors
from service.errors import exceptions as errors

TABLE: dict[type[Exception], tuple[int, str]] = {
    model_errors.RequestLimitError: (422, "invalid_request"),
    model_errors.TargetsMismatchError: (422, "invalid_request"),
    RequestValidationError: (422, "invalid_request"),
    model_errors.EmptyTextError: (422, "empty_text"),
    model_errors.MaskNotFoundError: (422, "mask_not_found"),
    model_errors.UnexpectedMaskError: (422, "unexpected_mask"),
    model_errors.TooManyMasksError: (422, "too_many_masks"),
    model_errors.TextTooLongError: (422, "text_too_long"),
    model_errors.DistantMasksError: (422, "text_too_long"),
    model_errors.TextPairError: (422, "text_pair_unsupported"),
    model_errors.UnknownTargetError: (422, "unknown_target"),
    errors.UnauthorizedError: (401, "unauthorized"),
    errors.CallerTimeoutError: (408, "caller_timeout"),
    errors.SlowBodyError: (408, "caller_timeout"),
    errors.MalformedRequestError: (400, "invalid_request"),
    errors.HeadersTooLargeError: (431, "headers_too_large"),
    errors.HeadTimeoutError: (408, "caller_timeout"),
    errors.PayloadTooLargeError: (413, "payload_too_large"),
    errors.EncodedBodyError: (415, "invalid_request"),
    errors.CorruptBodyError: (422, "invalid_request"),
    model_errors.PresetNotFoundError: (404, "preset_not_found"),
    errors.PresetUnusableError: (422, "preset_unusable"),
    errors.PresetNotLoadedError: (409, "preset_not_loaded"),
    model_errors.PresetUnavailableError: (502, "preset_unavailable"),
    model_errors.HeadMissingError: (500, "head_missing"),
    model_errors.HeadUnprovenError: (500, "model_load_failed"),
    model_errors.EngineUnavailableError: (500, "model_load_failed"),
    model_errors.ModelLoadError: (500, "model_load_failed"),
    model_errors.InferenceError: (500, "inference_failed"),
    errors.QueueFullError: (429, "overloaded"),
    errors.TooManyConnectionsError: (429, "overloaded"),
    errors.ShuttingDownError: (503, "shutting_down"),
    errors.UnretriedShutdownError: (502, "shutting_down"),
    errors.EngineLostError: (502, "engine_lost"),
    errors.ModelReplacedError: (502, "preset_replaced"),
    errors.DeadlineExceededError: (504, "timeout"),
}
INTERNAL = (500, "internal")
OK = "ok"
"""The outcome of a request that was answered."""

_INTERNAL_SENTENCE = "The server failed to answer; report this with the time it happened."


def outcome(error: BaseException | None) -> str:
    """Return the label under which a request is counted: its error's code, or `ok`."""
    if error is None:
        return OK
    if not isinstance(error, Exception):
        return "cancelled"
    return TABLE.get(type(error), INTERNAL)[1]


def describe_failure(error: Exception) -> dict[str, Any]:
    """Return the fields of an event about an error of the server: its code, and why.

    The sentences of known errors quote no caller, but for those of `InputError`, which are no
    failure. The message of any other may hold anything: its traceback, without, must do.
    """
    code = outcome(error)
    return {"code": code} | ({"exc_info": error} if code == INTERNAL[1] else {"reason": str(error)})


def error_fields(error: Exception) -> dict[str, Any]:
    """Return what is told of an error; of one that is not in the table, nothing is."""
    _, code = TABLE.get(type(error), INTERNAL)
    sentence = _INTERNAL_SENTENCE if code == INTERNAL[1] else str(error)
    fields: dict[str, Any] = {"error": sentence, "code": code}
    if isinstance(error, model_errors.InputError) and error.input is not None:
        fields["input"] = error.input
    return fields


def error_headers(error: Exception) -> dict[str, str]:
    """Return what is told of an error beside its sentence."""
    if isinstance(error, errors.QueueFullError):
        return {"retry-after": str(error.retry_after_s)}
    if isinstance(error, errors.UnauthorizedError):
        return {"www-authenticate": "Bearer"}
    return {}


def error_response(error: Exception) -> JSONResponse:
    """Return the answer to an error."""
    status, _ = TABLE.get(type(error), INTERNAL)
    return JSONResponse(error_fields(error), status, error_headers(error))
