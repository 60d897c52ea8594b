"""The real server, which also writes a line about each of its batches: `... PORT FILE`.

A line has the time at its end, its texts, its tokens, how long its oldest text had waited, and how
long it ran; seconds. The clock is the system's, which the load generator reads too.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import IO

from service.commands.cli import cli
from service.scheduling.batch_records import BatchRecord
from service.telemetry.metrics import Metrics


def write_batches(output: IO[str]) -> None:
    """Have all metrics of this process write a line a batch, as well.

    The server has no setting for who else hears of batches, and needs none.
    """
    count = Metrics.observe_batch

    def observe_batch(metrics: Metrics, record: BatchRecord) -> None:
        ended = perf_counter()
        count(metrics, record)
        waited = max(record.queue_seconds)
        fields = (ended, record.size, record.tokens, waited, record.inference_seconds)
        output.write(" ".join(map(repr, fields)) + "\n")

    Metrics.observe_batch = observe_batch  # type: ignore[method-assign]


def main() -> None:
    """Serve until told to end."""
    port, file = sys.argv[1:]
    with Path(file).open("w", buffering=1, encoding="utf-8") as output:
        write_batches(output)
        cli(["serve", "--port", port], prog_name="fillmask")


if __name__ == "__main__":
    main()
