"""What a task is, and how it is driven: one step for each trip to an engine."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from model_store.tasks.limits import TaskLimits
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

Round: TypeAlias = Sequence[Encoding]
"""What is scored on one trip; every encoding is a row."""

Results: TypeAlias = Sequence[list[MaskScores]]
"""What comes back: for each encoding, in order, one result a mask."""

Task: TypeAlias = Generator[Round, Results, Answer]
"""Yields rounds, is sent their results, and returns an answer."""


class TaskRequest(Protocol[Answer_co]):
    """What a caller asks of one model."""

    @property
    def name(self) -> str:
        """The task's, as metrics label it."""
        ...

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        ...

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer, before one is loaded.

        Raises:
            InputError: the request asks for too much, or fits itself badly.
        """
        ...

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[Answer_co]:
        """Return the task for one model.

        Whatever of it can be refused is refused before its first round.

        Raises:
            InputError: a text cannot be used, or takes more rows than it may.
        """
        ...


@dataclass(frozen=True, slots=True)
class Done(Generic[Answer]):
    """The end of a task."""

    answer: Answer


def advance(task: Task[Answer], results: Results | None = None) -> Round | Done[Answer]:
    """Take a task to its next round, or to its end.

    Args:
        task: the task.
        results: those of the round before; None at the start.
    """
    try:
        return next(task) if results is None else task.send(results)
    except StopIteration as end:
        return Done(end.value)
