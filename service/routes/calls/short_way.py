"""The short way of good requests: from the bytes of a body to the endpoint, and nothing between.

FastAPI reads JSON into objects, looks through these again, and solves the dependencies of every
request anew: more work than tokenizing a text. Whatever is not plainly good takes its way all the
same, so there is one wording of every refusal.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from service.routes.calls.timing import TIMEOUT_HEADER

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ShortWay(APIRoute):
    """A route to an endpoint of a `body`, the `request`, and what its path names.

    The endpoint answers with a `Response`, and has a default for the caller's timeout.
    """

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        take_long_way = super().get_route_handler()
        endpoint = self.endpoint
        model: type[BaseModel] = get_type_hints(endpoint)["body"]

        async def answer(request: Request) -> Response:
            if not _is_plain(request):
                return await take_long_way(request)
            content = await read_body(request)
            try:
                body = model.model_validate_json(content)
            except ValidationError:
                return await take_long_way(request)
            response: Response = await endpoint(body=body, request=request, **request.path_params)
            return response

        return answer


def json_response(answer: Any, headers: dict[str, str]) -> Response:
    """Return an answer of dicts, lists, strings and numbers."""
    return Response(to_json(answer), media_type="application/json", headers=headers)


def _is_plain(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-type") == "application/json" and TIMEOUT_HEADER not in headers


async def read_body(request: Request) -> bytes:
    """Return the bytes of a body.

    Raises:
        HTTPException: they cannot be had, status 400.
    """
    try:
        return await request.body()
    except Exception as error:
        # As FastAPI has it: why a body could not be read is known to who reads it.
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
