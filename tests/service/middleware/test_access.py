"""Who is let in: keys, from settings and from files that change."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from fakes import FakeStore
from service.middleware.access import Access, AccessMiddleware
from service.middleware.api_keys import ApiKeys
from service.settings import Settings
from service.telemetry.logs import configure_logs

BODY = {"inputs": "the [MASK]"}
KEY = {"authorization": "Bearer one"}
ADMIN = {"authorization": "Bearer root"}


@pytest.fixture(name="serve")
def serve_strangers(serve: Any) -> Any:
    """Return what starts a server without an admin, whose client shows no key by itself."""

    @asynccontextmanager
    async def start(store: FakeStore, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        async with serve(store, **{"admin_keys": ()} | settings) as client:
            del client.headers["authorization"]
            yield client

    return start


async def post(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    """Ask for a prediction."""
    return await client.post("/fill-mask", json=BODY, headers=headers)


async def test_service_without_keys_is_open(store: FakeStore, serve: Any) -> None:
    """Nobody is asked for what nobody has."""
    async with serve(store) as client:
        assert (await post(client)).status_code == 200


@pytest.mark.parametrize("key", ["one", "two", "root"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_whoever_has_a_key_is_let_in(
    store: FakeStore, serve: Any, key: str, scheme: str
) -> None:
    """Any of several, and those of admins as well."""
    async with serve(store, api_keys=("one", "two"), admin_keys=("root",)) as client:
        assert (await post(client, authorization=f"{scheme} {key}")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer three"}, {"authorization": "one"}]
)
@pytest.mark.parametrize("path", ["/fill-mask", "/presets", "/openapi.json", "/nothing"])
async def test_whoever_has_no_key_is_not(
    store: FakeStore, serve: Any, headers: dict[str, str], path: str
) -> None:
    """Not even to learn which paths there are."""
    async with serve(store, api_keys=("one",)) as client:
        response = await client.get(path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["", " ", "\xff\xfe", "one two", "o" * 10_000])
async def test_strange_key_is_none(store: FakeStore, serve: Any, key: str) -> None:
    """No header makes the server fail."""
    async with serve(store, api_keys=("one",)) as client:
        headers = {b"authorization": b"Bearer " + key.encode("latin-1")}
        assert (await client.get("/presets", headers=headers)).status_code == 401


async def test_body_of_whoever_has_no_key_is_not_read() -> None:
    """A stranger costs nothing."""
    access = Access(ApiKeys([]), ApiKeys([]), are_probes_open=True)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/presets/tiny/load", "headers": []}
    # Neither the application nor the body is there to be called.
    await AccessMiddleware(None, access=access)(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/presets/tiny", 200),
        ("HEAD", "/presets/tiny", 200),
        ("POST", "/presets/tiny", 401),
        ("DELETE", "/presets/tiny", 401),
        ("POST", "/presets/tiny/unload", 401),
    ],
)
async def test_callers_may_look_at_a_preset_and_change_none(
    store: FakeStore, serve: Any, method: str, path: str, status: int
) -> None:
    """What the list says of it may be asked for alone."""
    async with serve(store, api_keys=("one",), admin_keys=("root",)) as client:
        assert (await client.request(method, path)).status_code == 401
        assert (await client.request(method, path, headers=KEY)).status_code == status


async def test_what_is_no_request_passes() -> None:
    """The lifespan of the server has no key."""
    seen: list[str] = []

    async def app(scope: Any, _: Any, __: Any) -> None:
        seen.append(scope["type"])

    access = Access(ApiKeys([SecretStr("one")]), ApiKeys([]), are_probes_open=True)
    await AccessMiddleware(app, access=access)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize(("open_probes", "status"), [(True, 200), (False, 401)])
async def test_probes_are_open_or_closed_by_setting(
    store: FakeStore, serve: Any, path: str, *, open_probes: bool, status: int
) -> None:
    """Platforms that probe have seldom a key."""
    async with serve(store, api_keys=("one",), open_probes=open_probes) as client:
        assert (await client.get(path)).status_code == status
        assert (await client.get(path, headers=KEY)).status_code == 200


async def test_admin_routes_need_an_admin_key(store: FakeStore, serve: Any) -> None:
    """A caller's key changes nothing."""
    async with serve(store, api_keys=("one",), admin_keys=("root",)) as client:
        answers = [
            (await client.post("/presets/x/anything", headers=headers)).status_code
            for headers in ({}, KEY, ADMIN)
        ]
    assert answers == [401, 401, 404]


@pytest.mark.parametrize("settings", [{}, {"api_keys": ("one",)}])
async def test_admin_routes_are_shut_where_no_admin_is_known(
    store: FakeStore, serve: Any, settings: dict[str, Any]
) -> None:
    """A server that is open to all is not open to be changed by all."""
    async with serve(store, **settings) as client:
        response = await client.post("/presets/tiny/load", headers=KEY)
    assert response.status_code == 401
    assert "FILLMASK_ADMIN_KEYS" in response.json()["error"]


def write(file: Path, content: str) -> None:
    """Replace a file, as whoever rotates keys does."""
    other = file.with_suffix(".new")
    other.write_text(content)
    other.replace(file)


async def test_keys_of_a_file_are_rotated_without_a_restart(
    store: FakeStore, serve: Any, tmp_path: Path
) -> None:
    """The next request goes by the new file."""
    file = tmp_path / "keys"
    write(file, "# of May\none\n\n two \n")
    async with serve(store, api_keys_file=file) as client:
        keys = ("one", "two", "three", "# of May", "")

        async def ask() -> list[bool]:
            return [(await post(client, authorization=f"Bearer {k}")).is_success for k in keys]

        assert await ask() == [True, True, False, False, False]
        write(file, "three")
        assert await ask() == [False, False, True, False, False]


async def test_file_that_was_overwritten_is_read(
    store: FakeStore, serve: Any, tmp_path: Path
) -> None:
    """In place, too."""
    file = tmp_path / "keys"
    file.write_text("one")
    os.utime(file, ns=(1, 1))
    async with serve(store, api_keys_file=file) as client:
        file.write_text("two")
        os.utime(file, ns=(2, 2))
        assert (await post(client, **KEY)).status_code == 401


async def test_keys_count_while_their_file_is_away(
    store: FakeStore, serve: Any, tmp_path: Path
) -> None:
    """A moment without a file locks nobody out, and lets nobody in."""
    file = tmp_path / "keys"
    file.write_text("one")
    async with serve(store, api_keys_file=file) as client:
        file.unlink()
        assert (await post(client, **KEY)).status_code == 200
        assert (await post(client)).status_code == 401


def test_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    """Whoever names a file wants keys to be asked for."""
    file = tmp_path / "keys"
    file.write_text("\n# none\n")
    keys = ApiKeys(file=file)
    assert keys.is_configured
    assert not keys.allows("")


def test_file_that_is_missing_at_the_start_is_an_error(tmp_path: Path) -> None:
    """Before anybody is let in by mistake."""
    with pytest.raises(ValidationError, match="api_keys_file"):
        Settings(api_keys_file=tmp_path / "none")


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty ones are none."""
    monkeypatch.setenv("FILLMASK_API_KEYS", " one, two,,")
    keys = Settings().api_keys
    assert [key.get_secret_value() for key in keys] == ["one", "two"]


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may be printed."""
    monkeypatch.setenv("FILLMASK_API_KEYS", "one-secret")
    assert "one-secret" not in repr(Settings())


async def test_rotation_is_an_event(
    tmp_path: Path, store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """How many keys came and went, and none of them; a file that is away is told of once."""
    file = tmp_path / "keys"
    write(file, "sesame\ntwo")
    configure_logs(Settings())
    async with serve(store, api_keys_file=file) as client:

        async def ask() -> None:
            for _ in range(2):
                await client.get("/presets")

        await ask()
        write(file, "two\nthree\nfour")
        await ask()
        for _ in range(2):
            kept = file.rename(file.with_suffix(".old"))
            await ask()
            kept.rename(file)
            await ask()
    log = read_log()
    assert "sesame" not in str(log)
    keys = [(e["event"], e.get("added"), e.get("removed"), e.get("reason")) for e in log]
    away = ("api_keys_unreadable", None, None, "No such file or directory")
    assert keys == [("api_keys_rotated", 2, 1, None), away, away]
    assert {e["file"] for e in log} == {str(file)}
