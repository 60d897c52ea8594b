"""Callers who account for every request, whatever becomes of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress

import pytest

from bench.ray.callers import (
    ANSWERED,
    BROKEN,
    REFUSED,
    SILENT,
    WRONG,
    Account,
    Asked,
    QuestionMaker,
    calling,
    read_answer,
)
from bench.reliability.http_client import Answer

_DEADLINE_S = 0.2
_PATIENCE_S = 60.0

Handle = Callable[[dict[str, object]], tuple[int, object] | None]


@asynccontextmanager
async def serving(answer: Handle, *, waits: bool = False) -> AsyncIterator[int]:
    """Serve what a function answers; where it answers None, hang up, or wait for ever."""
    held = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length: ")[1].split("\r\n")[0])
                answered = answer(json.loads(await reader.readexactly(length)))
                if answered is None:
                    if waits:
                        await held.wait()
                    return
                content = json.dumps(answered[1]).encode()
                start = f"HTTP/1.1 {answered[0]} X\r\ncontent-length: {len(content)}\r\n\r\n"
                writer.write(start.encode() + content)

    def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(handle(reader, writer)))

    tasks: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        held.set()
        server.close()
        await asyncio.gather(*tasks)
        await server.wait_closed()


def fill(body: dict[str, object], version: int = 0) -> dict[str, object]:
    """Return what the store's engines answer."""
    results = []
    for text in body["inputs"]:  # type: ignore[attr-defined]
        total = sum(int(word[1:]) for word in text.split()[:-1]) + version
        results.append({"masks": [{"predictions": [{"token_str": f"w{total % 100}"}]}]})
    return {"results": results}


async def call(answer: Handle, *, waits: bool = False) -> Account:
    """Let two callers ask until one of them has heard something."""
    make = QuestionMaker(["one"], [1.0], texts=2)
    async with (
        serving(answer, waits=waits) as port,
        calling(port, make, 2, _DEADLINE_S if waits else _PATIENCE_S) as account,
    ):
        while not account.asked:  # noqa: ASYNC110  # a list has no event
            await asyncio.sleep(0.01)
    return account


@pytest.mark.parametrize(
    ("answer", "waits", "outcome"),
    [
        (lambda body: (200, fill(body)), False, ANSWERED),
        (lambda body: (200, fill({"inputs": ["w1 [MASK]"] * len(body["inputs"])})), False, WRONG),
        (lambda _: (429, {"code": "overloaded"}), False, "429 overloaded"),
        (lambda _: (500, "Internal Server Error"), False, "500 without a code"),
        (lambda _: None, False, BROKEN),
        (lambda _: None, True, SILENT),
    ],
    ids=["right", "wrong", "refused", "proxy", "broken", "silent"],
)
async def test_every_request_is_accounted_for(answer: Handle, *, waits: bool, outcome: str) -> None:
    """As what it was, and nothing is taken for an answer that is none."""
    account = await call(answer, waits=waits)
    assert set(account.outcomes) == {outcome}
    assert len(account.failed) == (0 if outcome == ANSWERED else len(account.asked))


async def test_nobody_listening_is_no_lost_answer() -> None:
    """It was never sent."""
    async with serving(lambda _: None) as port:
        pass
    async with calling(port, QuestionMaker(["one"], [1.0]), 1, _PATIENCE_S) as account:
        while not account.asked:  # noqa: ASYNC110  # a list has no event
            await asyncio.sleep(0.01)
    assert set(account.outcomes) == {REFUSED}


@pytest.mark.parametrize("version", [0, 7])
def test_answer_says_its_version(version: int) -> None:
    """By how far all its words are from the sums."""
    question = QuestionMaker(["one"], [1.0], texts=3)()
    content = json.dumps(fill(json.loads(question.body), version)).encode()
    assert read_answer(question, Answer(200, {}, content, 0.0)) == (ANSWERED, version)


def test_account_tells_who_was_under_way() -> None:
    """Whoever was sent before the end of a fault and answered after its beginning."""
    asked = [
        Asked(0, 1, ANSWERED),
        Asked(0, 3, BROKEN),
        Asked(2.5, 4, ANSWERED),
        Asked(5, 6, BROKEN),
    ]
    account = Account(asked)
    assert [each.is_under_way(2, 3) for each in asked] == [False, True, True, False]
    assert account.since(3).asked == asked[3:]
    assert account.failed == [asked[1], asked[3]]
    assert account.percentile(100) == 1.5
