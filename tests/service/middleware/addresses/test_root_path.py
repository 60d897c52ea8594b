"""A service under a prefix: proxies that hand it on, and proxies that take it off."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette._utils import get_route_path

from fakes import FakeStore
from keys import ADMIN_KEY
from service.middleware.addresses.root_path import RootPathMiddleware, path_of

ROOT = "/fillmask"
BODY = {"inputs": "the [MASK]"}
KEPT_OR_NOT = pytest.mark.parametrize("prefix", [ROOT, ""], ids=["kept", "taken off"])
STRANGER = {"authorization": "Bearer nobody"}
PIECES = st.sampled_from(["/", "/fillmask", "fillmask", "//", "x", "..", "*", "/presets", "%2F"])


async def lead(path: str, root: str = ROOT) -> dict[str, Any]:
    """Return the scope that the application sees of a path."""
    seen: list[Any] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(scope)

    scope = {"type": "http", "path": path, "root_path": ""}
    await RootPathMiddleware(app, root_path=root)(scope, None, None)  # type: ignore[arg-type]
    return seen[0]  # type: ignore[no-any-return]


@given(path=st.lists(PIECES, min_size=1).map("".join), root=st.sampled_from([ROOT, "/a/b"]))
async def test_rights_go_by_what_routes_go_by(path: str, root: str) -> None:
    """However a path is written, nobody is judged for one and led to another."""
    scope = await lead(path, root)
    assert path_of(scope) == get_route_path(scope)


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/healthz", "/healthz"),
        ("/fillmask/healthz", "/healthz"),
        ("/fillmask/fillmask/healthz", "/fillmask/healthz"),
        ("/fillmaskhealthz", "/fillmaskhealthz"),
        ("/fillmask/", "/"),
        ("/fillmask", ""),
        ("/", "/"),
        ("*", "*"),
    ],
)
async def test_prefix_is_taken_off_once(path: str, inner: str) -> None:
    """And only as a whole."""
    assert path_of(await lead(path)) == inner


async def test_what_is_no_request_passes() -> None:
    """The lifespan of the server has no path."""
    seen: list[Any] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(scope)

    await RootPathMiddleware(app, root_path=ROOT)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]


@KEPT_OR_NOT
async def test_requests_are_answered(store: FakeStore, serve: Any, prefix: str) -> None:
    """By the short way, by the long one, with what a path names, and line by line."""
    async with serve(store, root_path=ROOT) as client:
        short = await client.post(f"{prefix}/fill-mask", json=BODY)
        long = await client.post(
            f"{prefix}/fill-mask", json=BODY, headers={"x-request-timeout-s": "9"}
        )
        named = await client.post(f"{prefix}/models/tiny", json=BODY)
        lines = await client.post(
            f"{prefix}/fill-mask",
            content=f"{json.dumps(BODY)}\n" * 2,
            headers={"content-type": "application/x-ndjson"},
        )
    assert short.json() == long.json()
    assert short.json()["preset"] == "tiny"
    assert named.json()[0].keys() >= {"score"}
    assert [json.loads(line)["preset"] for line in lines.text.splitlines()] == ["tiny", "tiny"]


@KEPT_OR_NOT
async def test_body_of_lines_may_be_longer_than_one_request(
    store: FakeStore, serve: Any, prefix: str
) -> None:
    """Which bodies are lines is known by their path, too."""
    async with serve(store, root_path=ROOT, max_body_bytes=100) as client:
        answer = await client.post(
            f"{prefix}/fill-mask",
            content=f"{json.dumps(BODY)}\n" * 10,
            headers={"content-type": "application/x-ndjson"},
        )
    assert (answer.status_code, len(answer.text.splitlines())) == (200, 10)


@KEPT_OR_NOT
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("POST /presets/tiny/load", 401),
        ("POST /v2/repository/models/tiny/load", 401),
        ("POST /fill-mask", 401),
        ("GET /presets", 401),
        ("GET /openapi.json", 401),
        ("GET /nowhere", 401),
        ("GET /healthz", 200),
        ("GET /metrics", 200),
        ("GET /v2/health/live", 200),
        ("GET /docs", 200),
    ],
)
async def test_prefix_opens_nothing(
    store: FakeStore, serve: Any, prefix: str, asked: str, status: int
) -> None:
    """What takes a key takes one, and what is open is open."""
    method, path = asked.split()
    async with serve(store, root_path=ROOT, api_keys=("one",)) as client:
        answer = await client.request(method, prefix + path, headers=STRANGER)
    assert answer.status_code == status


@KEPT_OR_NOT
async def test_callers_key_does_not_open_what_takes_an_admins(
    store: FakeStore, serve: Any, prefix: str
) -> None:
    """Below the prefix as well."""
    key = {"authorization": "Bearer one"}
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    async with serve(store, root_path=ROOT, api_keys=("one",)) as client:
        path = f"{prefix}/presets/tiny/load"
        answers = [await client.post(path, headers=headers) for headers in (key, admin)]
    assert [answer.status_code for answer in answers] == [401, 200]


async def test_prefix_twice_is_nowhere(store: FakeStore, serve: Any) -> None:
    """A proxy that closes a path closes all there is of it."""
    async with serve(store, root_path=ROOT) as client:
        answers = [await client.get(path) for path in (f"{ROOT}{ROOT}/healthz", f"{ROOT}healthz")]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_prefix_alone_leads_to_the_page(store: FakeStore, serve: Any) -> None:
    """With its slash: relative addresses of the page begin there."""
    async with serve(store, root_path=ROOT) as client:
        answer = await client.get(ROOT)
        page = await client.get(f"{ROOT}/")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{ROOT}/")
    assert page.headers["content-type"].startswith("text/html")


@KEPT_OR_NOT
async def test_routes_have_the_same_label(store: FakeStore, serve: Any, prefix: str) -> None:
    """Templates without the prefix, refusals on the way too."""
    async with serve(store, root_path=ROOT, api_keys=("one",)) as client:
        await client.post(f"{prefix}/models/tiny", json=BODY)
        await client.post(f"{prefix}/models/tiny", json=BODY, headers=STRANGER)
        metrics = (await client.get(f"{prefix}/metrics")).text
    counted = [line for line in metrics.splitlines() if line.startswith("fill_mask_http_resp")]
    assert {line.partition("{")[2] for line in counted if "_created" not in line} == {
        'route="/models/{preset}",status="200"} 1.0',
        'route="/models/{preset}",status="401"} 1.0',
    }


@KEPT_OR_NOT
async def test_document_says_where_the_service_is(
    store: FakeStore, serve: Any, prefix: str
) -> None:
    """Clients that are generated from it go through the proxy."""
    async with serve(store, root_path=ROOT) as client:
        document = (await client.get(f"{prefix}/openapi.json")).json()
    assert document["servers"] == [{"url": ROOT}]


async def test_service_without_a_prefix_has_none(client: httpx.AsyncClient) -> None:
    """Nor does it guess one."""
    assert (await client.get("/fillmask/healthz")).status_code == 404
    assert "servers" not in (await client.get("/openapi.json")).json()
