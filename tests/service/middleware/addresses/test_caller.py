"""Whose address a request has: that of who connected, unless a trusted proxy vouches for another.

What is tested is the event `request`, which shows it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import PlainTextResponse

from fakes import FakeStore
from service.settings import Settings
from service.telemetry.logs import configure_logs

PROXY = "10.0.0.5"
TRUSTED = ("10.0.0.0/24", "fd00::5")
Ask = Callable[..., Any]


@pytest.fixture
def ask(store: FakeStore, serve: Any, read_log: Callable[[], Any]) -> Ask:
    """Return what sends a request from an address, and returns the address that is logged."""

    async def send(
        peer: str | None, *forwarded: str, trusted: tuple[str, ...] = TRUSTED
    ) -> str | None:
        configure_logs(Settings())
        async with serve(store, access_log=True, trusted_proxies=trusted) as client:
            client._transport.client = peer and (peer, 1234)
            headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
            await client.get("/healthz", headers=headers)
        [event] = [event for event in read_log() if event["event"] == "request"]
        client_address: str | None = event["client"]
        return client_address

    return send


async def test_caller_is_who_connected(ask: Ask) -> None:
    """Where no proxy is trusted, none is believed: not one of this machine either."""
    assert await ask("127.0.0.1", "203.0.113.7", trusted=()) == "127.0.0.1"
    assert await ask("::1", "203.0.113.7", trusted=()) == "::1"


async def test_caller_cannot_say_who_it_is(ask: Ask) -> None:
    """Who connects from elsewhere is no proxy of ours."""
    assert await ask("198.51.100.1", PROXY) == "198.51.100.1"


async def test_variable_of_uvicorn_trusts_nobody(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the service are all there are."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert await ask("127.0.0.1", "203.0.113.7", trusted=()) == "127.0.0.1"


@pytest.mark.parametrize("peer", [PROXY, "fd00::5", "FD00:0::0005"])
async def test_trusted_proxy_is_believed(ask: Ask, peer: str) -> None:
    """By its address, or by its network."""
    assert await ask(peer, "203.0.113.7") == "203.0.113.7"


@pytest.mark.parametrize(
    "forwarded",
    [
        ("203.0.113.7, 10.0.0.9",),
        ("192.0.2.66, 203.0.113.7, 10.0.0.9",),
        ("192.0.2.66", "203.0.113.7", "10.0.0.9"),
        ("10.0.0.8, 203.0.113.7, 10.0.0.9",),
    ],
)
async def test_caller_is_the_last_that_is_no_proxy(ask: Ask, forwarded: tuple[str, ...]) -> None:
    """Whatever stands before it, the caller may have sent."""
    assert await ask(PROXY, *forwarded) == "203.0.113.7"


async def test_caller_may_be_a_proxy_itself(ask: Ask) -> None:
    """Where all are trusted, it is the first."""
    assert await ask(PROXY, "10.0.0.8, 10.0.0.9") == "10.0.0.8"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
    ],
)
async def test_address_may_have_a_port(ask: Ask, written: str, address: str) -> None:
    """Some proxies write it."""
    assert await ask(PROXY, written) == address


@pytest.mark.parametrize(
    "garbage",
    ["unknown", "_hidden", "1.2.3.4.5", "[::1", "300.0.0.1", "\x7f", "\xff", "x" * 20_000],
)
async def test_what_is_no_address_is_not_logged(ask: Ask, garbage: str) -> None:
    """A proxy may pass on what a caller wrote."""
    assert await ask(PROXY, garbage) is None


@pytest.mark.parametrize("nothing", ["", " ", ",", "203.0.113.7,"])
async def test_proxy_that_says_nothing_is_the_caller(ask: Ask, nothing: str) -> None:
    """An empty header names nobody."""
    assert await ask(PROXY, nothing) == PROXY
    assert await ask(PROXY) == PROXY


async def test_long_chain_is_read_from_its_end(ask: Ask) -> None:
    """As many as fit into a head."""
    assert await ask(PROXY, "192.0.2.66, " * 2000 + "203.0.113.7") == "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [(PROXY, "https", "https"), (PROXY, "gopher", "http"), ("198.51.100.1", "https", "http")],
)
async def test_scheme_is_believed_of_proxies_only(
    store: FakeStore, serve: Any, peer: str, said: str, scheme: str
) -> None:
    """And only if it is one."""
    async with serve(store, trusted_proxies=TRUSTED) as client:
        client._transport.app.add_route("/scheme", _tell_scheme)
        client._transport.client = (peer, 1234)
        answer = await client.get("/scheme", headers={"x-forwarded-proto": said})
    assert answer.text == scheme


async def _tell_scheme(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.scheme)


async def test_caller_without_an_address_has_none(ask: Ask) -> None:
    """Not every server knows who connected."""
    assert await ask(None, "203.0.113.7") is None
