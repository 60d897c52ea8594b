"""An ingress behind Serve's proxy."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.processes.ray.ingress import ProxiedApp


def _answer_with(request_id: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"x-request-id": request_id, "x-other": "kept"}
        await PlainTextResponse("yes", headers=headers)(scope, receive, send)

    return app


@pytest.mark.parametrize(("ours", "left"), [("theirs", None), ("ours", "ours")])
async def test_id_that_the_proxy_adds_is_left_to_it(ours: str, left: str | None) -> None:
    """It would be there twice; one that it does not know is ours to tell."""
    transport = httpx.ASGITransport(ProxiedApp(_answer_with(ours)))
    async with httpx.AsyncClient(transport=transport, base_url="http://fillmask") as client:
        answer = await client.get("/", headers={"x-request-id": "theirs"})
    assert (answer.headers.get("x-request-id"), answer.headers["x-other"]) == (left, "kept")


async def test_lifespan_passes() -> None:
    """It is no request, and has no headers."""
    passed: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def nothing(*_: object) -> None:
        """Have nothing to say."""

    await ProxiedApp(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]
    assert passed == ["lifespan"]
