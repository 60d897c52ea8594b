"""`fillmask train` and `fillmask evaluate`: a model of one's own, and how good it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--init", required=True, help="The preset to start from: name, handle, directory.")
@click.option("--text", "texts", required=True, multiple=True, type=_FILE, help="Text; .xz too.")
@click.option("--heldout", required=True, type=_FILE, help="Text to measure with only.")
@click.option("--out", required=True, type=_DIRECTORY, help="Where the result is to be.")
@click.option("--steps", required=True, type=int, help="Updates to make; 0 only measures.")
@click.option("--batch-tokens", type=int, default=4096, help="Tokens a batch.")
@click.option("--sequence-length", type=int, default=128, help="Tokens of the longest rows.")
@click.option("--short-share", type=float, default=0.5, help="Paragraphs cut to a few sentences.")
@click.option("--shuffle-buffer", type=int, default=16384, help="Rows held to be shuffled.")
@click.option("--learning-rate", type=float, default=1e-4, help="The highest one.")
@click.option("--warmup-steps", type=int, default=100, help="Steps until it is reached.")
@click.option("--schedule", type=click.Choice(["linear", "cosine"]), default="linear")
@click.option("--weight-decay", type=float, default=0.01)
@click.option("--clip-norm", type=float, default=1.0, help="The longest gradient.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    default="float32",
    help="What is computed in.",
)
@click.option(
    "--stored-precision",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    help="Of the weights in the result.",
)
@click.option("--mask-selection-rate", type=float, default=0.15, help="Share of masked tokens.")
@click.option("--measure-every", type=int, default=1000, help="Steps between measurements.")
@click.option("--save-every", type=int, default=500, help="Steps between saved states.")
@click.option("--log-every", type=int, default=20, help="Steps a line of the log.")
@click.option("--heldout-rows", type=int, default=2000, help="Rows to measure, at most.")
@click.option("--seed", type=int, default=0)
def train(**options: Any) -> None:
    """Train a preset on text files, one paragraph a line.

    The same command goes on where a killed one stopped. The result is a directory in Transformers'
    format, which the server serves.
    """
    with _in_a_sentence():
        # The runtime takes seconds to import, and every other command does without it.
        from model_store.training.options import TrainingOptions  # noqa: PLC0415
        from model_store.training.trainer import train as train_model  # noqa: PLC0415

        chosen = TrainingOptions(**options)
        with tqdm(total=chosen.steps, unit="step") as bar:
            measured = train_model(chosen, lambda record: _show(bar, record))
    click.echo(json.dumps(asdict(measured)))


@click.command()
@click.option("--init", required=True, help="The preset to measure: name, handle, directory.")
@click.option("--heldout", required=True, type=_FILE, help="Text, one paragraph a line; .xz too.")
@click.option("--rows", type=int, default=2000, help="Rows to measure, at most.")
def evaluate(init: str, heldout: Path, rows: int) -> None:
    """Measure a preset: loss and accuracy at masks that are the same for every model."""
    with _in_a_sentence():
        from model_store.training.heldout import measure_preset  # noqa: PLC0415  # as above

        measured = measure_preset(init, heldout, rows=rows)
    click.echo(json.dumps(asdict(measured)))


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Tell what is wrong with the options: the library says it, and Keras of its backend."""
    try:
        yield
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _show(bar: Any, record: dict[str, Any]) -> None:
    """Move the bar with a step; write everything else above it."""
    bar.n = record.get("step", bar.n)
    if record["event"] == "step":
        bar.set_postfix(loss=f"{record['loss']:.3f}", refresh=False)
        bar.update(0)
    else:
        bar.write(json.dumps(record))
