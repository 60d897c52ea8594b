"""`fillmask run --ray` whose workers have an engine that is none, and do as files tell them.

hold-N    whoever answers the block whose first row comes after N names the file held-N, writes its
          process into it and stops for ever
fail      every engine fails

They lie in the directory that BULK_ORDERS names. A file is obeyed once.

    python fake_bulk.py ARGUMENTS...
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any

from fakes import FakeEngine, FakeStore, make_preset, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from service.commands.bulk import question, ray_run
from service.commands.bulk.ray_worker import RayWorker
from service.commands.cli import cli


class FakeBulkWorker(RayWorker):
    """Does as it is told."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Answer a block, or stop."""
        use_fake_store()
        order, obeyed = (_orders() / f"{name}-{row['first']}" for name in ("hold", "held"))
        if order.exists():
            order.write_text(str(os.getpid()))
            order.rename(obeyed)
            threading.Event().wait()
        return super().__call__(row)


def use_fake_store() -> None:
    """Have no real model in this process."""
    store = FakeStore([make_preset("tiny")])
    store.engines["tiny"] = FakeEngine(answer=_answer)
    question.create_store = lambda _: store  # type: ignore[assignment,return-value]


def _answer(batch: Batch, k: int) -> Scores:
    if (_orders() / "fail").exists():
        raise RuntimeError
    return score_by_id(batch, k)


def _orders() -> Path:
    return Path(os.environ["BULK_ORDERS"])


def main() -> None:
    """Run it; the workers import this file by its name."""
    # By the name that they know it by, not as the program that it is here.
    from on_ray import fake_bulk  # noqa: PLC0415

    use_fake_store()
    ray_run.RayWorker = fake_bulk.FakeBulkWorker  # type: ignore[misc]
    cli(["run", "--preset", "tiny", *sys.argv[1:]])


if __name__ == "__main__":
    main()
