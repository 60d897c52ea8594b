"""Whatever comes over a connection: a right answer, a refusal, or its end; and nothing hangs."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.running_server import RunningServer

TIMEOUT_S = 120
"""Longer than the server waits for anything: what takes longer hangs."""

BODY = json.dumps({"inputs": "a [MASK]"}).encode()
VALID = (
    b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    b"HEAD /readyz HTTP/1.0\r\n\r\n",
    b"GET /presets?a=b HTTP/1.1\r\nhost: x\r\naccept: */*\r\nx-request-id: y\r\n\r\n",
    b"POST /fill-mask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
    + str(len(BODY)).encode()
    + b"\r\n\r\n"
    + BODY,
    b"POST /fill-mask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\ntrailer: z\r\n\r\n" % (len(BODY), BODY),
)


@pytest.fixture(autouse=True)
def _server_lives_on(server: RunningServer) -> Iterator[None]:
    """Ask something sensible after every test."""
    yield
    assert httpx.get(f"{server.url}/readyz", trust_env=False, timeout=TIMEOUT_S).is_success


def exchange(server: RunningServer, sent: bytes) -> bytes:
    """Send bytes and nothing more, and return all that comes back."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    received = b""
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            raise
        except OSError:
            pass  # it is gone, and did not want to hear the rest
    return received


def assert_is_answered(received: bytes) -> None:
    """Hold what came back against what may: nothing, or answers of which none is 5xx."""
    assert not received or received.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4")), received[:200]
    assert b"HTTP/1.1 5" not in received


@st.composite
def heads(draw: st.DrawFn) -> tuple[bytes, bytes, int, bytes]:
    """Draw requests with bytes changed, cut, spliced or said many times, or bytes at random.

    That is: a start, what is said how many times, and the rest.
    """
    content = b"".join(draw(st.lists(st.sampled_from(VALID), min_size=1, max_size=3)))
    kind = draw(st.sampled_from(["flip", "cut", "splice", "repeat", "random"]))
    places = st.integers(0, len(content) - 1)
    start, end = sorted((draw(places), draw(places)))
    if kind == "cut":
        return content[:start], b"", 0, b""
    if kind == "splice":
        place = draw(places)
        return content[:place], content[start:end], 1, content[place:]
    if kind == "repeat":
        return content[:start], content[start:end], draw(st.integers(1, 2000)), content[end:]
    if kind == "random":
        return draw(st.binary(max_size=300)), b"", 0, b""
    mutable = bytearray(content)
    for place in draw(st.lists(places, min_size=1, max_size=5)):
        mutable[place] = draw(st.integers(0, 255))
    return bytes(mutable), b"", 0, b""


def fuzz(server: RunningServer, examples: int) -> None:
    """Send heads."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sent=heads())
    def send(sent: tuple[bytes, bytes, int, bytes]) -> None:
        start, piece, times, rest = sent
        assert_is_answered(exchange(server, start + piece * times + rest))

    send()


def test_damaged_heads_are_answered(server: RunningServer) -> None:
    """Any bytes may come."""
    fuzz(server, 120)


@pytest.mark.slow
def test_many_damaged_heads_are_answered(server: RunningServer) -> None:
    """The same for a few minutes."""
    fuzz(server, 20_000)


GET = b"GET /healthz HTTP/1.1\r\n"
CHUNKED = b"POST /fill-mask HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
MEGABYTE = 2**20
TOO_LARGE = {
    "a header of 20 MiB": GET + b"name: " + b"v" * 20 * MEGABYTE,
    "a name of 20 MiB": GET + b"n" * 20 * MEGABYTE,
    "an address of 20 MiB": b"GET /" + b"p" * 20 * MEGABYTE,
    "a million headers": GET + b"a: b\r\n" * 1_000_000,
    "a million empty lines": b"\r\n" * 1_000_000,
    "a million trailers": CHUNKED + b"0\r\n" + b"a: b\r\n" * 1_000_000,
    "an extension of a chunk of 20 MiB": CHUNKED + b"1;" + b"e" * 20 * MEGABYTE,
    "a folded header": GET + b"a: b\r\n" + b" c\r\n" * 1_000_000,
}


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_what_is_too_large_is_refused(server: RunningServer, sent: bytes) -> None:
    """However it is spread over a head: 431, or 400 where it is no HTTP either."""
    received = exchange(server, sent)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")), received[:200]
    assert json.loads(body).keys() == {"error", "code"}


ODD = {
    "100,000 requests ahead": GET * 100_000,
    "an upgrade": GET + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303"),
    "a proxy's request": b"GET http://example.org/ HTTP/1.1\r\nhost: example.org\r\n\r\n",
    "CONNECT": b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "no path": b"GET ?a HTTP/1.1\r\n\r\n",
    "bytes in a path": b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    "bytes in a value": GET + b"authorization: \xff\xfe\r\n\r\n",
    "NUL in a value": GET + b"a: \0\r\n\r\n",
    "a length twice": GET + b"content-length: 0\r\ncontent-length: 0\r\n\r\n",
    "bare line ends": GET.replace(b"\r", b"") + b"a: b\n\n",
    "continue": b"POST /fill-mask HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
}


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD.keys())
def test_what_is_odd_is_answered(server: RunningServer, sent: bytes) -> None:
    """What is known to break servers."""
    received = exchange(server, sent).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert_is_answered(received)
