"""Calls a deployment: the frames of a worker, over one of Serve's handles."""

import asyncio
from typing import Any

from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from service.errors.exceptions import EngineLostError, QueueFullError, ShuttingDownError
from service.processes.engine_process.client import Expected, expect, with_ids
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Answer,
    FrameDecoder,
    Observed,
    Question,
    encode_frame,
)

_ATTEMPTS = 3
"""How many replicas are asked that are all about to end, or end before they answer.

Not more: what a request does to a replica that it ends, it does to so many.
"""

_GONE = (RayActorError, asyncio.CancelledError)
"""What is raised where a replica has ended, or is ended with every call that it has."""

_ANSWERS: FrameDecoder[Answer] = FrameDecoder(Answer)


class HandleClient:
    """Calls whichever replica of a deployment Serve chooses, or all of them."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        """Call by a handle."""
        self._handle = handle

    async def call(
        self, request: Question, kind: type[Expected], model_id: str | None = None
    ) -> Expected:
        """Return the answer of one replica to a request, of the kind that belongs to it.

        A caller that is cancelled cancels the call over there.

        Args:
            request: what is asked.
            kind: what is to be answered.
            model_id: what the replica should hold, if one does.

        Raises:
            EngineLostError: each replica that was asked ended before it answered.
            QueueFullError: too many calls wait for a replica already.
            Exception: what it answered, as `wire_errors` reads it.
        """
        frame = encode_frame(NO_ANSWER, with_ids(request))
        handle = self._handle.options(multiplexed_model_id=model_id) if model_id else self._handle
        for _ in range(_ATTEMPTS - 1):
            try:
                return expect(_decode(await await_response(handle.answer.remote(frame))), kind)
            except (ShuttingDownError, EngineLostError):
                continue  # there are others, and whatever is asked may be asked again
        return expect(_decode(await await_response(handle.answer.remote(frame))), kind)

    async def call_holders(self, request: Question, kind: type[Expected]) -> list[Expected]:
        """Return the answers of all replicas that hold what the request is about.

        What one that ends meanwhile held is gone with it.

        Raises:
            EngineLostError: one of them did not answer, and is there still.
            Exception: what one of them answered, when all of them have.
        """
        frame = encode_frame(NO_ANSWER, with_ids(request))
        response = self._handle.broadcast("answer_if_held", frame)
        frames = await response.results_async(return_exceptions=True)
        for each in frames:
            if isinstance(each, BaseException) and not isinstance(each, _GONE):
                raise EngineLostError from each
        return [expect(_decode(frame), kind) for frame in frames if isinstance(frame, bytes)]

    async def tell(self, message: Observed) -> None:
        """Send what has no answer, and wait until it has arrived.

        Raises:
            EngineLostError: there is nobody to send it to.
        """
        await await_response(self._handle.hear.remote(encode_frame(NO_ANSWER, message)))


async def await_response(response: Any) -> Any:
    """Return what a call by a handle returns, and raise what a worker's call would."""
    try:
        return await response
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            response.cancel()
            raise
        raise EngineLostError from None  # its replica was ended, and every call with it
    except BackPressureError as error:
        raise QueueFullError(error.retry_after_s or 0.0) from error
    except (RayError, RayServeException) as error:
        raise EngineLostError from error


def _decode(frame: bytes) -> Answer:
    return _ANSWERS.decode(frame)[1]
