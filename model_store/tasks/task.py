"""What a task is, and how it is driven: one step for each trip to an engine."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from model_store.tasks.limits import TaskLimits
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec

DEFAULT_ROWS = 256
"""The most rows of a batch, as for the server."""

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


def drive(
    task: Task[Answer],
    predict: Callable[[Sequence[Encoding]], Results],
    max_tokens: int,
    max_rows: int = DEFAULT_ROWS,
) -> Answer:
    """Take a task to its end and return its answer.

    Args:
        task: one that was not begun.
        predict: scores one batch; for each row, in order, one result a mask.
        max_tokens: the most tokens of a batch; a longer row is one of its own.
        max_rows: the most rows of a batch.

    Raises:
        InputError: the task refuses what it is asked.
    """
    step = advance(task)
    while not isinstance(step, Done):
        batches = cut(step, max_tokens, max_rows)
        step = advance(task, [scores for batch in batches for scores in predict(batch)])
    return step.answer


def cut(rows: Round, max_tokens: int, max_rows: int = DEFAULT_ROWS) -> Iterator[Round]:
    """Yield the rows of a round in batches that may run together, in order."""
    first = tokens = 0
    for index, row in enumerate(rows):
        length = len(row.token_ids)
        if index > first and (tokens + length > max_tokens or index - first == max_rows):
            yield rows[first:index]
            first, tokens = index, 0
        tokens += length
    if rows:
        yield rows[first:]
