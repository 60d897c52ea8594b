"""Calls by one of Serve's handles: what may come back, and what it means to who called."""

import asyncio
from typing import Any

import pytest
from ray.exceptions import ActorDiedError
from ray.serve.exceptions import BackPressureError, RayServeException

from fakes import settle
from ray_handles import LocalHandle
from service.errors.exceptions import EngineLostError, QueueFullError, ShuttingDownError
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Check,
    Done,
    FrameDecoder,
    Observed,
    Request,
    encode_frame,
)
from service.processes.engine_process.wire_errors import dump_error
from service.processes.ray.handle_client import HandleClient

DONE = encode_frame(NO_ANSWER, Done())
ENDING = encode_frame(NO_ANSWER, dump_error(ShuttingDownError()))


class Replica:
    """Answers with what it is given, one after the other."""

    def __init__(self, *answers: bytes | Exception | asyncio.Future[bytes]) -> None:
        """Answer so."""
        self._answers = list(answers)
        self.frames: list[bytes] = []

    async def answer(self, frame: bytes) -> bytes:
        """Answer a call."""
        self.frames.append(frame)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else await answer

    answer_if_held = hear = answer


def _client(*answers: Any) -> tuple[HandleClient, Replica, LocalHandle]:
    replica = Replica(*answers)
    handle = LocalHandle([replica])
    return HandleClient(handle), replica, handle  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (BackPressureError(300, 256, 429, 7.0), QueueFullError(7.0)),
        (BackPressureError(300, 256), QueueFullError()),
        (ActorDiedError(), EngineLostError()),
        (RayServeException("no replica"), EngineLostError()),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_serve_raises_is_what_callers_know(
    raised: Exception, expected: Exception
) -> None:
    """No error of Ray's gets as far as the routes."""
    client, _, _ = _client(raised, raised, raised)
    with pytest.raises(type(expected)) as caught:
        await client.call(Check("tiny"), Done)
    assert str(caught.value) == str(expected)


async def test_call_that_ended_with_its_replica_is_lost() -> None:
    """Serve calls it cancelled, though nobody has cancelled it."""
    answer = asyncio.get_running_loop().create_future()
    answer.cancel()
    client, _, _ = _client(answer, answer, answer)
    with pytest.raises(EngineLostError):
        await client.call(Check("tiny"), Done)


async def test_caller_that_leaves_cancels_the_call() -> None:
    """So that its texts leave the queue over there."""
    client, replica, handle = _client(asyncio.get_running_loop().create_future())
    caller = asyncio.create_task(client.call(Check("tiny"), Done))
    await settle()
    assert replica.frames
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(asyncio.CancelledError):
        await handle.calls[0].task


async def test_replica_that_ends_is_passed_over() -> None:
    """Another one answers, and nobody hears of it: whether it ends in order or dies."""
    client, replica, _ = _client(ENDING, ActorDiedError(), DONE)
    assert await client.call(Check("tiny"), Done) == Done()
    assert len(replica.frames) == 3


async def test_cluster_that_ends_says_so() -> None:
    """It is asked three times, not for ever: a call may be what ends replicas."""
    client, replica, _ = _client(ENDING, ENDING, ENDING, DONE)
    with pytest.raises(ShuttingDownError):
        await client.call(Check("tiny"), Done)
    assert len(replica.frames) == 3
    client, replica, _ = _client(*3 * [ActorDiedError()], DONE)
    with pytest.raises(EngineLostError):
        await client.call(Check("tiny"), Done)
    assert len(replica.frames) == 3


async def test_holders_that_end_or_hold_nothing_are_left_out() -> None:
    """What the others answer counts."""
    handle = LocalHandle([Replica(ActorDiedError()), Replica(DONE), Replica(None)])  # type: ignore[arg-type]
    handle.replicas[2].answer_if_held = _hold_nothing
    client = HandleClient(handle)  # type: ignore[arg-type]
    assert await client.call_holders(Check("tiny"), Done) == [Done()]


async def test_holder_that_does_not_answer_is_not_passed_over() -> None:
    """It is there, and would go on with what the others have given up."""
    handle = LocalHandle([Replica(DONE), Replica(RayServeException("no answer"))])
    client = HandleClient(handle)  # type: ignore[arg-type]
    with pytest.raises(EngineLostError):
        await client.call_holders(Check("tiny"), Done)


async def test_what_is_told_arrives() -> None:
    """As the frame that a worker would send."""
    client, replica, _ = _client(b"")
    await client.tell(Observed(invalid_requests=3))
    requests: FrameDecoder[Request] = FrameDecoder(Request)
    [frame] = replica.frames
    assert requests.decode(frame) == (NO_ANSWER, Observed(invalid_requests=3))


async def _hold_nothing(_frame: bytes) -> None:
    return None
