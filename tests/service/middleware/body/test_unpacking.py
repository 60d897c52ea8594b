"""Bodies that are packed by gzip: taken on every route, and bounded in what they unpack to."""

import gzip
import zlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from fakes import FakeStore
from service.errors.exceptions import CorruptBodyError
from service.middleware.body.unpacking import UnpackedBody

BODY = b'{"inputs": "the [MASK]"}'
PACKED = gzip.compress(BODY)
GZIP = {"content-type": "application/json", "content-encoding": "gzip"}
END: Message = {"type": "http.disconnect"}


class Connection:
    """A connection over which a body comes in pieces, and then nothing but its end."""

    def __init__(self, pieces: list[bytes]) -> None:
        """Have sent nothing yet."""
        self.messages = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        self.messages[-1]["more_body"] = False

    async def receive(self) -> Message:
        """Return what comes next."""
        return self.messages.pop(0) if self.messages else END


async def read(pieces: list[bytes]) -> list[bytes]:
    """Return the pieces that come out of a body."""
    body = UnpackedBody(Connection(pieces).receive)
    found = []
    while (message := await body.receive())["more_body"]:
        found.append(message["body"])
    assert await body.receive() == END
    return [*found, message["body"]]


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """Return a content in pieces that end at places."""
    ends = sorted(place % (len(content) + 1) for place in places)
    return [
        content[start:end] for start, end in zip([0, *ends], [*ends, len(content)], strict=True)
    ]


@given(parts=st.lists(st.binary(max_size=200), max_size=3), places=st.lists(st.integers(0, 999)))
async def test_what_was_packed_comes_out(parts: list[bytes], places: list[int]) -> None:
    """However it was cut on its way, and in however many streams it was packed."""
    packed = b"".join(map(gzip.compress, parts))
    assert b"".join(await read(cut(packed, places))) == b"".join(parts)


async def test_body_is_unpacked_in_pieces() -> None:
    """A message that holds a thousand times its size is never in memory as a whole."""
    content = bytes(10_000_000)
    found = await read([gzip.compress(content)])
    assert sum(map(len, found)) == len(content)
    assert max(map(len, found)) <= 65_536


@pytest.mark.parametrize(
    "body",
    [BODY, PACKED[:-1], PACKED[:9], PACKED + b"x", PACKED[:-8] + bytes(8), zlib.compress(BODY)],
    ids=["plain", "cut", "head", "more", "checksum", "zlib"],
)
async def test_what_is_not_packed_so_is_refused(body: bytes) -> None:
    """Not, or not to its end."""
    with pytest.raises(CorruptBodyError):
        await read([body])


async def test_caller_who_hangs_up_is_heard_of() -> None:
    """In the middle of a body, too."""
    connection = Connection([PACKED[:9]])
    connection.messages[-1]["more_body"] = True
    assert await UnpackedBody(connection.receive).receive() == END


ROUTES = [
    ("/fill-mask", b'{"inputs": "the [MASK]"}'),
    ("/models/tiny", b'{"inputs": "the [MASK]"}'),
    ("/presets/tiny/load", b'{"pin": true}'),
    ("/presets/tiny/unload", b""),
]


@pytest.mark.parametrize(("path", "body"), ROUTES, ids=str)
async def test_packed_body_is_answered_like_a_plain_one(
    client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    """On every route that takes one."""
    plain = await client.post(path, content=body, headers={"content-type": "application/json"})
    packed = await client.post(path, content=gzip.compress(body), headers=GZIP)
    assert (packed.status_code, packed.json()) == (200, plain.json())


async def test_name_of_the_encoding_is_read_as_http_has_it(client: httpx.AsyncClient) -> None:
    """In any case."""
    headers = {**GZIP, "content-encoding": "GZip"}
    assert (await client.post("/fill-mask", content=PACKED, headers=headers)).is_success


@pytest.mark.parametrize(("limit", "status"), [(len(BODY), 200), (len(BODY) - 1, 413)])
async def test_what_comes_out_counts(store: FakeStore, serve: Any, limit: int, status: int) -> None:
    """The limit is the same as for a body that is not packed."""

    # Packed, this short one is longer than it is: pieces declare no length.
    async def send() -> Any:
        yield PACKED

    async with serve(store, max_body_bytes=limit) as client:
        response = await client.post("/fill-mask", content=send(), headers=GZIP)
    assert response.status_code == status


async def test_body_that_holds_gigabytes_is_read_to_the_limit() -> None:
    """And no further: nobody waits for the rest of it."""
    body = UnpackedBody(Connection([gzip.compress(bytes(50_000_000))]).receive)
    read_ = 0
    while read_ < 1_000_000:
        read_ += len((await body.receive())["body"])
    assert read_ < 1_000_000 + 65_536


async def test_refusal_of_a_broken_body_says_what_to_do(client: httpx.AsyncClient) -> None:
    """As every error does."""
    response = await client.post("/fill-mask", content=PACKED[:-3], headers=GZIP)
    assert response.status_code == 422
    assert response.json() == {
        "error": "The body is no whole gzip stream; pack it anew, or send it unpacked.",
        "code": "invalid_request",
    }
