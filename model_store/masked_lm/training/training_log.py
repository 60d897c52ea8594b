"""The log of a training: one JSON object a line, and a picture of it."""

import json
from pathlib import Path
from typing import Any


class TrainingLog:
    """A file of JSON lines that can be taken back to an earlier length."""

    def __init__(self, path: Path) -> None:
        """Write to a file from its end on; it is made where it is missing."""
        self._path = path
        path.touch()

    @property
    def nbytes(self) -> int:
        """How long the file is."""
        return self._path.stat().st_size

    def truncate(self, nbytes: int) -> None:
        """Forget what was written after the file had that length; a shorter one stays as it is."""
        with self._path.open("r+b") as file:
            file.truncate(min(nbytes, self.nbytes))

    def write(self, **record: Any) -> dict[str, Any]:
        """Add a line, and return the record."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return record

    def read(self) -> list[dict[str, Any]]:
        """Return every record."""
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]


def plot_losses(records: list[dict[str, Any]], path: Path) -> None:
    """Draw the losses of a log over its steps, as a PNG.

    Raises:
        ImportError: matplotlib is not installed.
    """
    # An extra: nobody else needs it, and it is slow to import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for event, style in (("train", "-"), ("heldout", "o-")):
        points = [
            (record["step"], record["loss"]) for record in records if record["event"] == event
        ]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=event)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per masked token)")
    axes.grid(visible=True, alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    figure.savefig(path, dpi=120)
