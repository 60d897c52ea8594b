"""`fillmask run` on an engine that is none, and that stops for ever after so many batches.

Whoever runs it reads `held` then, and can kill it at a known place.

    python held_run.py BATCHES ARGUMENTS...
"""

import sys
import threading

from fakes import FakeEngine, FakeStore, make_preset, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from service.commands.bulk import question
from service.commands.cli import cli

_BATCHES = int(sys.argv[1])


class _Held:
    def __init__(self) -> None:
        self.batches = 0

    def __call__(self, batch: Batch, k: int) -> Scores:
        if self.batches == _BATCHES:
            sys.stdout.write("held\n")
            sys.stdout.flush()
            threading.Event().wait()
        self.batches += 1
        return score_by_id(batch, k)


def main() -> None:
    """Run it."""
    store = FakeStore([make_preset("tiny")])
    store.engines["tiny"] = FakeEngine(answer=_Held())
    question.create_store = lambda _: store  # type: ignore[assignment]
    cli(["run", *sys.argv[2:]])


if __name__ == "__main__":
    main()
