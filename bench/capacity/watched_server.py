"""The real server, which also writes a line about each of its batches: `... PORT FILE`.

A line has the time at its end, its texts, its tokens, how long its oldest text had waited, and how
long it ran; seconds. The clock is the system's, which the load generator reads too.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from service.commands.cli import cli
from service.processes import model_host
from service.scheduling.batch_records import BatchRecord
from service.telemetry.metrics import Metrics


class WatchedMetrics(Metrics):
    """The server's metrics, and a line a batch."""

    output: IO[str]

    def observe_batch(self, record: BatchRecord) -> None:
        """Count a batch, and write it down."""
        ended = perf_counter()
        super().observe_batch(record)
        fields: tuple[Any, ...] = (
            ended,
            record.size,
            record.tokens,
            max(record.queue_seconds),
            record.inference_seconds,
        )
        self.output.write(" ".join(map(repr, fields)) + "\n")


def main() -> None:
    """Serve until told to end."""
    port, file = sys.argv[1:]
    with Path(file).open("w", buffering=1, encoding="utf-8") as WatchedMetrics.output:
        # The server has no setting for who else hears of batches, and needs none.
        model_host.Metrics = WatchedMetrics  # type: ignore[misc]
        cli(["serve", "--port", port], prog_name="fillmask")


if __name__ == "__main__":
    main()
