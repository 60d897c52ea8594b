"""What was seen of a server under load: answers on one side, batches on the other."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.capacity.poisson_load import Answer

_RECENT = 6
"""Among how many batches that of an answer is looked for."""
_SAME_S = 0.0005


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; seconds.

    Attributes:
        ended: the system's clock at its end.
        size: its texts.
        tokens: their tokens.
        waited: how long its oldest text had waited.
        inference: how long it ran.
    """

    ended: float
    size: float
    tokens: float
    waited: float
    inference: float

    @property
    def started(self) -> float:
        """The system's clock at its start."""
        return self.ended - self.inference


@dataclass(frozen=True, slots=True)
class Run:
    """One load.

    Attributes:
        share: of the most that was answered.
        rate: requests a second that were offered.
        seconds: how long it was offered.
        answers: those that came.
        lost: requests without one.
        processor_s: what the generator itself took of the cores.
    """

    share: float
    rate: float
    seconds: float
    answers: list[Answer]
    lost: int
    processor_s: float = 0.0

    def percentile(self, share: float) -> float:
        """Return what so many per cent of the callers waited at most, in seconds."""
        return float(np.percentile([answer.seconds for answer in self.answers], share))

    @property
    def generator_s(self) -> float:
        """What the generator took of a core for each request, those at the start included."""
        return self.processor_s / (len(self.answers) + self.rate + self.lost)

    def describe(self) -> str:
        """Return a line for whoever watches."""
        if not self.answers:
            return f"{self.rate:.0f} requests/s, no answer, {self.lost} lost"
        late = np.percentile([answer.sent - answer.due for answer in self.answers], 99)
        return (
            f"{self.rate:.0f} requests/s, {len(self.answers)} answers, {self.lost} lost, p50 "
            f"{1e3 * self.percentile(50):.1f} ms, p99 {1e3 * self.percentile(99):.1f} ms; sent "
            f"late by {1e3 * late:.1f} ms (p99), {1e3 * self.generator_s:.2f} ms of a core each"
        )


class Journey(NamedTuple):
    """One request, stage by stage; seconds. `size` is that of its batch."""

    before: float
    queue: float
    inference: float
    after: float
    size: float


class Observations(NamedTuple):
    """All of one measurement.

    Attributes:
        about: machine, commit and the like.
        capacity: the most requests a second that were answered.
        lengths: the tokens of the texts that were sent.
        runs: the loads, in order.
        batches: all batches, in order.
    """

    about: dict[str, str]
    capacity: float
    lengths: list[int]
    runs: list[Run]
    batches: list[Batch]

    def select(self, shares: tuple[float, ...]) -> list[Run]:
        """Return the runs of some loads."""
        return [run for run in self.runs if run.share in shares]

    def batches_of(self, run: Run) -> list[Batch]:
        """Return the batches that ran while the answers of a load counted."""
        first, last = run.answers[0].due, run.answers[-1].due
        ends = [batch.ended for batch in self.batches]
        return self.batches[bisect_right(ends, first) : bisect_right(ends, last)]

    def journeys_of(self, run: Run) -> Iterator[Journey]:
        """Yield the requests of a load whose batches are known."""
        ends = [batch.ended for batch in self.batches]
        for answer in run.answers:
            index = bisect_right(ends, answer.received)
            recent = self.batches[max(0, index - _RECENT) : index]
            if not recent:
                continue
            # The server reads its clock twice at an end: for the answers, then for the batch.
            batch = min(recent, key=lambda batch: abs(batch.inference - answer.inference))
            if abs(batch.inference - answer.inference) < _SAME_S:
                before = batch.started - answer.queue - answer.due
                after = answer.received - batch.ended
                yield Journey(before, answer.queue, answer.inference, after, batch.size)


def read(file: Path) -> Observations:
    """Read what `measure` returned and somebody kept."""
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    runs = [
        Run(**(run | {"answers": [Answer(**answer) for answer in run["answers"]]}))
        for run in kept.pop("runs")
    ]
    batches = [Batch(**batch) for batch in kept.pop("batches")]
    return Observations(
        capacity=kept.pop("capacity"),
        lengths=kept.pop("lengths"),
        runs=runs,
        batches=batches,
        about=kept,
    )
