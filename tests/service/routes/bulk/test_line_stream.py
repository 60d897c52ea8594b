"""Answers that go out in order while lines still come in."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from conversations import Conversation
from fakes import settle
from service.errors.exceptions import SlowBodyError
from service.routes.bulk.line_stream import LineAnswer, LineLimits, LineStream

ROOMY = LineLimits(max_lines=100, max_bytes=1000)


class Answers:
    """Answers lines when a test says so: each with itself."""

    def __init__(self) -> None:
        """Have been asked nothing."""
        self.asked: dict[int, asyncio.Future[LineAnswer]] = {}
        self.lines: dict[int, bytes | None] = {}
        self.most = 0

    async def __call__(self, number: int, line: bytes | None) -> LineAnswer:
        """Wait for the test."""
        self.asked[number] = asyncio.get_running_loop().create_future()
        self.lines[number] = line
        self.most = max(self.most, self.open)
        return await self.asked[number]

    @property
    def open(self) -> int:
        """How many lines are not answered yet."""
        return sum(not each.done() for each in self.asked.values())

    async def give(self, number: int, *, is_last: bool = False) -> None:
        """Answer a line."""
        self.asked[number].set_result(LineAnswer(b"%d\n" % number, is_last))
        await settle()


def tell(number: int, error: Exception) -> LineAnswer:
    """Write an error."""
    return LineAnswer(f"{number} {type(error).__name__}\n".encode())


def converse(answers: Answers, limits: LineLimits = ROOMY) -> Conversation:
    """Return a conversation with a stream."""
    return Conversation(LineStream(answers, tell, limits))


async def test_answer_goes_out_before_the_next_line_comes() -> None:
    """Who waits for one before sending the next gets it."""
    answers = Answers()
    async with converse(answers) as caller:
        await caller.say(b"a\n")
        await answers.give(1)
        assert caller.lines == [b"1"]
        await caller.say(b"b\n")
        await answers.give(2)
        assert caller.lines == [b"1", b"2"]
        assert not caller.is_answered
        await caller.say(more=False)
        assert caller.is_answered


async def test_answers_keep_the_order_of_the_lines() -> None:
    """Whichever is ready first."""
    answers = Answers()
    async with converse(answers) as caller:
        await caller.say(b"a\nb\nc", more=False)
        await answers.give(3)
        await answers.give(2)
        assert caller.lines == []
        await answers.give(1)
        assert caller.lines == [b"1", b"2", b"3"]
        assert caller.is_answered


async def test_body_is_read_no_further_than_the_window() -> None:
    """Until a line of it is answered."""
    answers = Answers()
    async with converse(answers, LineLimits(max_lines=2, max_bytes=1000)) as caller:
        for _ in range(5):
            await caller.say(b"a\n")
        assert set(answers.asked) == {1, 2}
        assert caller.unread == 2  # one is read, and held: there was no knowing that it has a line
        await answers.give(2)
        assert set(answers.asked) == {1, 2}
        await answers.give(1)
        assert set(answers.asked) == {1, 2, 3, 4}


async def test_lines_in_work_have_a_limit_in_bytes() -> None:
    """Long lines are fewer; one alone is always taken."""
    answers = Answers()
    async with converse(answers, LineLimits(max_lines=100, max_bytes=10)) as caller:
        await caller.say(b"0123456789\nabcd\nefgh\nij\n", more=False)
        assert set(answers.asked) == {1}
        await answers.give(1)
        assert set(answers.asked) == {1, 2, 3, 4}
        assert not caller.is_answered


async def test_who_takes_no_answers_is_read_no_further() -> None:
    """So that no answers pile up here."""
    answers = Answers()
    async with converse(answers, LineLimits(max_lines=2, max_bytes=1000)) as caller:
        caller.take_nothing()
        await caller.say(b"a\nb\nc\nd\n")
        await answers.give(1)
        await answers.give(2)
        assert set(answers.asked) == {1, 2}
        await caller.take_on()
        assert set(answers.asked) == {1, 2, 3, 4}


async def test_too_long_line_is_passed_as_such() -> None:
    """And those after it are answered."""
    answers = Answers()
    async with converse(answers, LineLimits(max_lines=9, max_bytes=3)) as caller:
        await caller.say(b"abcd\nef\n", more=False)
        assert answers.lines == {1: None, 2: b"ef"}


async def test_caller_who_hangs_up_ends_it() -> None:
    """What was in work is cancelled."""
    answers = Answers()
    async with converse(answers) as caller:
        await caller.say(b"a\nb\n")
        await caller.hang_up()
        assert caller.task.done()
        assert all(each.cancelled() for each in answers.asked.values())


async def test_nothing_follows_the_last_answer() -> None:
    """A server that ends says so once."""
    answers = Answers()
    async with converse(answers) as caller:
        await caller.say(b"a\nb\nc\n")
        await answers.give(2)
        await answers.give(1, is_last=True)
        assert caller.lines == [b"1"]
        assert caller.is_answered
        assert answers.asked[3].cancelled()
        assert caller.task.done()


async def test_body_that_breaks_off_is_told_after_its_lines() -> None:
    """In place of the next one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_late() -> dict[str, object]:
            message = await receive()
            if not message["body"]:
                raise SlowBodyError(1)
            return dict(message)

        await LineStream(answers, tell, ROOMY)(scope, receive_late, send)

    answers = Answers()
    async with Conversation(app) as caller:
        await caller.say(b"a\nb")
        await caller.say(b"")
        assert caller.lines == []
        await answers.give(1)
        assert caller.lines == [b"1", b"2 SlowBodyError"]
        assert caller.is_answered


async def test_body_without_a_line_is_answered_without_one() -> None:
    """With a status all the same."""
    async with converse(Answers()) as caller:
        await caller.say(more=False)
        assert (caller.status, caller.lines, caller.is_answered) == (200, [], True)


async def test_type_of_an_answer_is_that_of_lines() -> None:
    """And nobody knows its length."""
    async with converse(Answers()) as caller:
        await caller.say(more=False)
        assert caller.sent[0]["headers"] == [(b"content-type", b"application/x-ndjson")]


@given(
    lines=st.lists(st.binary(max_size=6).map(lambda each: each.replace(b"\n", b"")), max_size=20),
    order=st.randoms(use_true_random=False),
    window=st.integers(1, 5),
)
async def test_every_line_is_answered_once_and_in_order(
    lines: list[bytes], order: object, window: int
) -> None:
    """Whatever is ready when, and never more in work than the window has."""
    answers = Answers()
    async with converse(answers, LineLimits(max_lines=window, max_bytes=12)) as caller:
        for line in lines:
            await caller.say(line + b"\n")
        await caller.say(more=False)
        while pending := [n for n, each in answers.asked.items() if not each.done()]:
            await answers.give(order.choice(pending))  # type: ignore[attr-defined]
        assert caller.lines == [b"%d" % number for number in range(1, len(lines) + 1)]
        assert caller.is_answered
    assert list(answers.lines.values()) == lines
    assert answers.most <= window
