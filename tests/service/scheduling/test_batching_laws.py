"""The law of the micro-batcher: whatever happens in whatever order, nothing is lost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import HeldCalls, run_in_batches, settle
from model_store.errors import RequestLimitError
from service.errors.exceptions import QueueFullError, ShuttingDownError
from service.scheduling.batch_records import BatchLimits
from service.scheduling.batching import MicroBatcher


class EngineError(Exception):
    """What a broken engine raises."""


LIMITS = BatchLimits(max_batch_size=3, max_batch_tokens=12, max_queue_size=6)

Item = tuple[int, int]  # a number of its own, and a length

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.lists(st.integers(1, 15), max_size=7)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["succeed", "fail", "miscount", "settle"]), st.none()),
        st.tuples(st.sampled_from(["close", "kill"]), st.none()),
    ),
    max_size=30,
)


@dataclass
class World:
    """A batcher, its callers, and what became of them; needs a running event loop."""

    run: HeldCalls[Sequence[Item], list[int]] = field(default_factory=HeldCalls)
    requests: list[list[Item]] = field(default_factory=list)
    callers: list[asyncio.Task[list[int]]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    failures: int = 0
    is_killed: bool = False
    closing: asyncio.Task[None] | None = None
    waiting: list[asyncio.Task[Any]] = field(default_factory=list)
    outcomes: list[list[int] | BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the batcher."""
        self.batcher: MicroBatcher[Item, int] = MicroBatcher(
            run_in_batches(self.run, itemgetter(1)),
            length=itemgetter(1),
            limits=LIMITS,
        )

    @property
    def batches(self) -> list[Sequence[Item]]:
        """The batches that ran, in order."""
        return self.run.arguments

    async def apply(self, name: str, argument: Any) -> None:
        """Let one thing happen; what it wakes has its first step."""
        if name == "submit":
            number = sum(map(len, self.requests))
            items = [(number + offset, length) for offset, length in enumerate(argument)]
            self.requests.append(items)
            self.callers.append(asyncio.create_task(self._submit(len(self.callers))))
        elif name == "cancel" and argument < len(self.callers):
            if self.callers[argument].cancel():
                self.left.add(argument)
        elif name in {"succeed", "fail", "miscount"} and self.run.pending:
            self.answer(name)
        elif name == "settle":
            await settle()
        elif name == "close":
            self.close()
        elif name == "kill":
            await settle()
            for task in self.batcher._running:
                self.is_killed = True
                task.cancel()
            await settle()
        await asyncio.sleep(0)

    async def _submit(self, index: int) -> list[int]:
        """Submit a request, remembering whether there was room for it."""
        items = self.requests[index]
        is_full = self.batcher.queue_size + len(items) > LIMITS.max_queue_size
        if self.closing or self.is_killed or is_full:
            self.refused.add(index)
        return await self.batcher.submit(items)

    def answer(self, name: str) -> None:
        """End the batch that runs, well or badly."""
        self.failures += name != "succeed"
        call = self.run.pending[0]
        if name == "fail":
            call.fail(EngineError())
        else:
            numbers = [number for number, _ in call.argument]
            call.succeed(numbers if name == "succeed" else numbers[1:])

    def close(self) -> None:
        """Begin to close."""
        self.closing = self.closing or asyncio.create_task(self.batcher.close())

    async def rest(self) -> None:
        """Answer every batch, and see who waits for ever."""
        self.close()
        await settle()
        while self.run.pending:
            self.answer("succeed")
            await settle()
        self.waiting = [task for task in (*self.callers, self.closing) if not task.done()]
        for task in self.waiting:
            task.cancel()
        self.outcomes = await asyncio.gather(*self.callers, return_exceptions=True)


async def play(operations: list[tuple[str, Any]]) -> World:
    """Drive a batcher through operations, answer what is left, and close it."""
    world = World()
    for operation in operations:
        await world.apply(*operation)
        assert len(world.run.pending) <= 1, "two batches run at once"
    await world.rest()
    return world


any_history = settings(deadline=None, max_examples=150)


@any_history
@given(OPERATIONS)
def test_every_batch_holds_the_oldest_that_waits(operations: list[tuple[str, Any]]) -> None:
    """Nobody starves, and every item runs once at most."""
    world = asyncio.run(play(operations))
    batches = [[number for number, _ in batch] for batch in world.batches]
    numbers = [number for batch in batches for number in batch]
    assert len(numbers) == len(set(numbers))
    for index, batch in enumerate(batches):
        assert min(number for later in batches[index:] for number in later) == batch[0]


@any_history
@given(OPERATIONS)
def test_batches_stay_within_their_limits(operations: list[tuple[str, Any]]) -> None:
    """No batch is larger than allowed, a single item that is larger excepted."""
    world = asyncio.run(play(operations))
    for batch in world.batches:
        tokens = sum(length for _, length in batch)
        assert len(batch) <= LIMITS.max_batch_size
        assert tokens <= LIMITS.max_batch_tokens or len(batch) == 1


@any_history
@given(OPERATIONS)
def test_nobody_waits_for_ever(operations: list[tuple[str, Any]]) -> None:
    """Once all batches are answered, so is every caller, and whoever closes."""
    world = asyncio.run(play(operations))
    assert world.waiting == []


@any_history
@given(OPERATIONS)
def test_every_caller_gets_its_own_results_or_an_error(
    operations: list[tuple[str, Any]],
) -> None:
    """Nothing is lost: whoever did not leave, was not refused and met no failure has it all."""
    world = asyncio.run(play(operations))
    pairs = zip(world.requests, world.outcomes, strict=True)
    for index, (items, outcome) in enumerate(pairs):
        if isinstance(outcome, asyncio.CancelledError):
            assert index in world.left
        elif index in world.refused:
            assert isinstance(outcome, QueueFullError | RequestLimitError | ShuttingDownError)
        elif isinstance(outcome, ShuttingDownError):
            assert world.is_killed
        elif isinstance(outcome, BaseException):
            assert isinstance(outcome, EngineError | ValueError)
            assert world.failures
        else:
            assert outcome == [number for number, _ in items]


@any_history
@given(OPERATIONS)
def test_refused_items_never_run(operations: list[tuple[str, Any]]) -> None:
    """Submission is all or nothing."""
    world = asyncio.run(play(operations))
    ran = {number for batch in world.batches for number, _ in batch}
    for index in world.refused:
        assert ran.isdisjoint(number for number, _ in world.requests[index])
