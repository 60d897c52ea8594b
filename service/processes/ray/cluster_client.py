"""Which replicas a call is for: one that holds the preset, every one that does, or several."""

import asyncio
from itertools import chain
from typing import Any

from msgspec.structs import replace

from service.errors.exceptions import ModelReplacedError
from service.processes.engine_process.client import Expected
from service.processes.engine_process.frames import (
    Describe,
    Described,
    Done,
    Load,
    Predict,
    Predicted,
    Question,
    Unload,
)
from service.processes.ray.batch_parts import PartLimits, cut_batch
from service.processes.ray.handle_client import HandleClient
from service.processes.ray.held_models import name_revision
from service.processes.ray.merged_presets import merge_presets


class ClusterClient(HandleClient):
    """Calls engine replicas."""

    def __init__(self, handle: Any, limits: PartLimits) -> None:
        """Call by a handle; a batch above the limits is cut."""
        super().__init__(handle)
        self._limits = limits

    async def call(
        self, request: Question, kind: type[Expected], model_id: str | None = None
    ) -> Expected:
        """Return the answer to a request, whoever gives it.

        Raises:
            EngineLostError: who was to answer ended before.
            QueueFullError: too many calls wait for a replica already.
            Exception: what was answered, as `wire_errors` reads it.
        """
        answer: Any
        match request:
            case Predict():
                answer = await self._predict(request)
            case Load(reload=False, pin=None):
                answer = await super().call(request, kind, model_id or request.preset)
            case Load() | Unload():
                answer = await self._change(request)
            case Describe():
                answer = await self._describe(request)
            case _:
                answer = await super().call(request, kind, getattr(request, "preset", None))
        return answer  # type: ignore[no-any-return]

    async def _change(self, request: Load | Unload) -> Done:
        """Have it done wherever the preset is held; load it somewhere if it is nowhere."""
        done = await self.call_holders(request, Done)
        if not done and isinstance(request, Load):
            return await super().call(request, Done, request.preset)
        return Done()

    async def _describe(self, request: Describe) -> Described:
        described = await self.call_holders(request, Described)
        if not described:  # no replica runs yet: wait for one
            return await super().call(request, Described)
        return merge_presets(described)

    async def _predict(self, request: Predict) -> Predicted:
        """Score texts, those of a large batch on several replicas: all of them, or none."""
        parts = cut_batch(request.texts, self._limits)
        if len(parts) == 1:
            return await self._predict_part(request)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._predict_part(replace(request, texts=part)))
                    for part in parts
                ]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        answers = [task.result() for task in tasks]
        return Predicted(
            list(chain.from_iterable(answer.texts for answer in answers)),
            max(answer.queue_seconds for answer in answers),
            max(answer.inference_seconds for answer in answers),
        )

    async def _predict_part(self, request: Predict) -> Predicted:
        try:
            return await super().call(request, Predicted, request.preset)
        except ModelReplacedError:
            # While a new version goes from replica to replica, some hold the one that was read.
            model_id = name_revision(request.preset, request.revision)
            return await super().call(request, Predicted, model_id)
