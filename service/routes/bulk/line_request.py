"""What a line asks, and how its error is written."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from model_store.errors import EmptyTextError
from service.errors.exceptions import PayloadTooLargeError
from service.errors.table import TABLE, error_fields
from service.middleware.exception_handlers import describe_invalid
from service.routes.fill_mask.request import FillMaskRequest
from service.routes.schemas import Text

_TEXT: TypeAdapter[str] = TypeAdapter(Text)


def read_line(line: bytes | None, max_line_bytes: int) -> FillMaskRequest:
    """Return what a line asks: an object as `POST /fill-mask` takes it, or a text as JSON's string.

    Raises:
        ValidationError: it is neither.
        EmptyTextError: it is empty.
        PayloadTooLargeError: it is None, as lines are that nobody kept.
    """
    if line is None:
        raise PayloadTooLargeError(max_line_bytes, "line")
    content = line.strip()
    if not content:
        raise EmptyTextError
    if content.startswith(b'"'):
        return FillMaskRequest(inputs=_TEXT.validate_json(content, strict=True))
    return FillMaskRequest.model_validate_json(content)


def write_error(error: Exception, number: int) -> dict[str, Any]:
    """Return what is told of an error in a line, the first of which is 1."""
    if isinstance(error, ValidationError):
        _, code = TABLE[RequestValidationError]
        found = [{**each, "loc": ("line", *each["loc"])} for each in error.errors()]
        fields = {"error": describe_invalid(found, "the line"), "code": code}
    else:
        fields = error_fields(error)
    return {**fields, "line": number}
