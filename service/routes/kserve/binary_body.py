"""The binary data extension of the Open Inference Protocol: JSON with tensors behind it."""

from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.types import Message, Receive

from service.routes.calls.short_way import Handler, ShortWay, read_body
from service.routes.kserve.any_type import as_json

LENGTH_HEADER = "inference-header-content-length"
"""How many bytes of a body are JSON; all of them if it is left out."""

_MOST_DIGITS = 20


class BinaryBody(ShortWay):
    """A route to an endpoint whose `body` is JSON, with tensors behind it: `tensors_of(request)`.

    Whatever type the body is said to have, it begins with JSON. From there on this goes the way of
    every other body.
    """

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        answer_json = super().get_route_handler()

        async def answer(request: Request) -> Response:
            content = await read_body(request)
            length = _read_length(request.headers.get(LENGTH_HEADER), len(content))
            inner = as_json(request, _receive_again(content[:length], request.receive))
            inner.state.tensors = content[length:]
            return await answer_json(inner)

        return answer


def tensors_of(request: Request) -> bytes:
    """Return what is behind the JSON of a body."""
    tensors: bytes = request.state.tensors
    return tensors


def refuse_body(error: ValidationError) -> RequestValidationError:
    """Return the error of a body in which pydantic found something wrong."""
    return RequestValidationError(
        [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
    )


def refuse(where: tuple[str, str], reason: str) -> RequestValidationError:
    """Return the error of a body that says what it cannot mean."""
    found: dict[str, Any] = {"type": "value_error", "loc": where, "msg": reason}
    return RequestValidationError([found])


def _read_length(header: str | None, available: int) -> int:
    if header is None:
        return available
    if not (header.isascii() and header.isdigit() and len(header) <= _MOST_DIGITS):
        raise refuse(("header", LENGTH_HEADER), "it is a number of bytes")
    if int(header) > available:
        raise refuse(("header", LENGTH_HEADER), f"the body has {available} bytes")
    return int(header)


def _receive_again(content: bytes, receive: Receive) -> Receive:
    """Return what receives a body that was read, and then whatever comes next."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive_next() -> Message:
        return messages.pop() if messages else await receive()

    return receive_next
