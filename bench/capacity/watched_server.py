"""The real server, which also writes a line about each of its batches: `... PORT FILE [sleep]`.

A line has the time at its end, its texts, its tokens, how long its oldest text had waited, and how
long it ran; seconds. The clock is the system's, which the load generator reads too.

With `sleep` the engine costs time, but no core: what is measured is all but engines, and no
neighbour of the machine makes a batch longer.
"""

import sys
import time
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import numpy as np

from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.openvino import OpenVINOEngine
from service.commands.cli import cli
from service.scheduling.batch_records import BatchRecord
from service.telemetry.metrics import Metrics

_BATCH_S, _TOKEN_S = 0.004, 0.00005
"""What a batch and a token cost an engine that sleeps: about what they cost the real one."""


def write_batches(output: IO[str], *, sleep: bool) -> None:
    """Have all metrics of this process write a line a batch, as well.

    The server has no setting for who else hears of batches, and needs none.

    Args:
        output: where to.
        sleep: whether engines sleep from the first batch on: loading, they have to prove a head.
    """
    count = Metrics.observe_batch

    def observe_batch(metrics: Metrics, record: BatchRecord) -> None:
        ended = perf_counter()
        count(metrics, record)
        waited = max(record.queue_seconds)
        fields = (ended, record.size, record.tokens, waited, record.inference_seconds)
        output.write(" ".join(map(repr, fields)) + "\n")
        if sleep:
            OpenVINOEngine.run = _sleep  # type: ignore[method-assign]

    Metrics.observe_batch = observe_batch  # type: ignore[method-assign]


def _sleep(engine: Any, batch: Batch, k: int) -> Scores:
    """Sleep for as long as a batch costs, and answer anything."""
    del engine
    time.sleep(_BATCH_S + _TOKEN_S * int(np.count_nonzero(batch.text_numbers)))
    ranks = np.tile(np.arange(k, dtype=np.int32), (batch.masks, 1))
    targets = np.zeros((batch.masks, batch.queries[0].target_ids.shape[1]), np.float32)
    return Scores(ranks, -1 - ranks.astype(np.float32), targets - 1)


def main() -> None:
    """Serve until told to end."""
    port, file, *sleep = sys.argv[1:]
    with Path(file).open("w", buffering=1, encoding="utf-8") as output:
        write_batches(output, sleep=bool(sleep))
        cli(["serve", "--port", port], prog_name="fillmask")


if __name__ == "__main__":
    main()
