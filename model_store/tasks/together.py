"""Tasks that know nothing of each other, in the same rounds."""

from collections.abc import Sequence
from typing import TypeVar

from model_store.tasks.task import Done, Task, advance

Answer = TypeVar("Answer")


def run_together(tasks: Sequence[Task[Answer]]) -> Task[list[Answer]]:
    """Return their answers, in order; what all of them ask at a time is one round."""
    steps = [advance(task) for task in tasks]
    while rounds := {i: step for i, step in enumerate(steps) if not isinstance(step, Done)}:
        results = iter((yield [encoding for asked in rounds.values() for encoding in asked]))
        for index, asked in rounds.items():
            steps[index] = advance(tasks[index], [next(results) for _ in asked])
    return [step.answer for step in steps if isinstance(step, Done)]
