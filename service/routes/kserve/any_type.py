"""Bodies that are JSON, whatever type they are said to have.

Clients of the protocol name none, that of bytes or, where a library does it for them, that of text.
"""

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive

from service.routes.calls.short_way import Handler

_REPLACED = frozenset({b"content-type", b"content-length"})


class AnyType(APIRoute):
    """A route to an endpoint whose body is JSON."""

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        answer_json = super().get_route_handler()

        async def answer(request: Request) -> Response:
            return await answer_json(as_json(request, request.receive))

        return answer


def as_json(request: Request, receive: Receive) -> Request:
    """Return a request whose body is said to be JSON.

    Args:
        request: as it came.
        receive: what receives the body.
    """
    headers = [pair for pair in request.scope["headers"] if pair[0] not in _REPLACED]
    headers.append((b"content-type", b"application/json"))
    return Request(dict(request.scope, headers=headers), receive)
