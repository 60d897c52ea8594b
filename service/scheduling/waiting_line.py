"""Who waits for an engine, who is let in, and who runs next: no event loop, no clock, no engine.

A batch is the oldest entries, as many as it may hold; what shares its rows with what is not decided
here. The line is bounded in entries, in tokens and in time: what could not be done in the time that
its caller has, at the rate of the last batches, is refused at once.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from model_store.errors import RequestLimitError
from service.errors.exceptions import QueueFullError
from service.scheduling.batch_records import BatchLimits
from service.scheduling.throughput import Throughput

_PROMISED = 0.75
"""How much of its time an entry may be expected to wait: rates change."""


class Waiting(Protocol):
    """What waits: hashable, and each equal to itself only."""

    @property
    def length(self) -> int:
        """Its tokens."""
        ...

    @property
    def is_gone(self) -> bool:
        """Whether nobody wants it any more."""
        ...


Entry = TypeVar("Entry", bound=Waiting)


class WaitingLine(Generic[Entry]):
    """A bounded queue of what one engine is to run."""

    def __init__(self, limits: BatchLimits, ahead: int = 0) -> None:
        """Start empty.

        Args:
            limits: how much may run together and wait.
            ahead: how many full batches may be handed over while another one runs.
        """
        self._limits = limits
        self._ahead = ahead
        # A dict, for its order: whoever leaves does so from the middle as well.
        self._queue: dict[Entry, None] = {}
        self._queued_tokens = 0
        self._running_tokens = 0
        self._throughput = Throughput()
        self._last_end = -math.inf

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._queue)

    def __iter__(self) -> Iterator[Entry]:
        """Go through those that wait, the oldest first."""
        return iter(self._queue)

    def require_room(self, items: int, tokens: int, within_s: float) -> None:
        """Refuse what does not fit, or would be waited for in vain.

        Args:
            items: how many are to join at once.
            tokens: the sum of their lengths.
            within_s: how long their caller will wait.

        Raises:
            QueueFullError: they do not fit now, or could not be done in time.
            RequestLimitError: they never fit.
        """
        limits = self._limits
        # What never fits is not told to try again.
        for what, count, limit in (
            ("texts at once", items, limits.max_queue_size),
            ("tokens at once", tokens, limits.max_queue_tokens),
        ):
            if count > limit:
                raise RequestLimitError(what, count, limit)
        ahead = self._queued_tokens + self._running_tokens
        is_full = (
            len(self._queue) + items > limits.max_queue_size
            or self._queued_tokens + tokens > limits.max_queue_tokens
        )
        # With less than a batch in line, batches are small: their rate says little, the wait is
        # short, and whoever is in a hurry may try.
        wait = self._throughput.seconds(ahead + tokens)
        is_late = self._queued_tokens >= limits.max_batch_tokens and wait > _PROMISED * within_s
        if is_full or is_late:
            # From then on it would fit, if nobody else came.
            until = wait - _PROMISED * within_s if is_late else self._throughput.seconds(tokens)
            raise QueueFullError(until)

    def join(self, entries: Iterable[Entry]) -> None:
        """Stand at the end of the line."""
        for entry in entries:
            self._queue[entry] = None
            self._queued_tokens += entry.length

    def leave(self, entries: Iterable[Entry]) -> None:
        """Take entries out of the line, where they are still in it."""
        for entry in entries:
            if entry in self._queue:
                del self._queue[entry]
                self._queued_tokens -= entry.length

    def take(self, running: int) -> list[Entry]:
        """Take the next batch out of the line, and those that are gone as well.

        Args:
            running: how many batches the engine has already.

        Returns:
            The batch; empty where none may start now.
        """
        if not self._may_start(running):
            return []
        self.leave([entry for entry in self._queue if entry.is_gone])
        taken: list[Entry] = []
        tokens = 0
        for entry in self._queue:
            tokens += entry.length
            is_too_much = tokens > self._limits.max_batch_tokens
            if taken and (is_too_much or len(taken) == self._limits.max_batch_size):
                break
            taken.append(entry)
        self.leave(taken)
        return taken

    def begin(self, tokens: int) -> None:
        """Take note that a batch runs."""
        self._running_tokens += tokens

    def end(self, tokens: int) -> None:
        """Take note that a batch runs no more."""
        self._running_tokens -= tokens

    def learn(self, tokens: int, started: float, ended: float) -> None:
        """Learn from a batch how fast the engine is; seconds, of any clock that never goes back."""
        # A batch that was handed over ahead began when the one before it ended.
        self._throughput.observe(tokens, ended - max(started, self._last_end))
        self._last_end = ended

    def _may_start(self, running: int) -> bool:
        """Say whether the engine is free, or will be asked for more than one batch anyway."""
        if not running:
            return True
        return running <= self._ahead and self._is_batch_full()

    def _is_batch_full(self) -> bool:
        return (
            len(self._queue) >= self._limits.max_batch_size
            or self._queued_tokens >= self._limits.max_batch_tokens
        )
