"""What a batch may hold, what it held, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much may run together, and how much may wait, in items and in tokens."""

    max_batch_size: int
    max_batch_tokens: int
    max_queue_size: int
    max_queue_tokens: int = 262_144


@dataclass(frozen=True, slots=True)
class BatchRun(Generic[Result]):
    """What came of a batch: a result for each item, in order, and the tokens that it computed."""

    results: Sequence[Result]
    computed_tokens: int


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch that ran, well or not.

    Attributes:
        size: its items.
        tokens: the sum of their lengths.
        computed_tokens: the same with padding counted; 0 where the batch failed.
        queue_seconds: how long each item had waited.
        inference_seconds: how long the batch ran.
    """

    size: int
    tokens: int
    computed_tokens: int
    queue_seconds: tuple[float, ...]
    inference_seconds: float


class BatchedResults(list[Result]):
    """The results of one request, and how long they took.

    Attributes:
        queue_seconds: how long the item that waited longest had waited.
        inference_seconds: how long the batch ran that ran longest.
    """

    queue_seconds: float = 0.0
    inference_seconds: float = 0.0
