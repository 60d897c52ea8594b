"""`fillmask train` and `fillmask evaluate`: a model of one's own, and how good it is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

import click
from tqdm import tqdm

from model_store.masked_lm.training.options import (
    Precision,
    Schedule,
    StoredPrecision,
    TrainingOptions,
)
from service.commands.environment import read_settings
from service.commands.sentences import warn_of_unknown_settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_SHOW_DEFAULTS = {"show_default": True}
_DEFAULTS = {field.name: field.default for field in fields(TrainingOptions)}


def _option(name: str, text: str, values: Any = None) -> Callable[[Any], Any]:
    """Return an option with the default of `TrainingOptions`."""
    default = _DEFAULTS[name]
    return click.option(
        f"--{name.replace('_', '-')}",
        type=click.Choice(get_args(values)) if values else type(default),
        default=default,
        help=text,
    )


def _read_lengths(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them."""
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError:
        message = f"{value} is no list of whole numbers; give one like 16,32,64."
        raise click.BadParameter(message) from None


@click.command(context_settings=_SHOW_DEFAULTS)
@click.option("--init", required=True, help="The preset to start from: name, handle, directory.")
@click.option(
    "--text",
    "texts",
    required=True,
    multiple=True,
    type=_FILE,
    help="A file of UTF-8 text, packed by gzip, bzip2, xz or Zstandard or not; may be given again.",
)
@click.option("--heldout", required=True, type=_FILE, help="Such a file, to measure with only.")
@click.option("--out", required=True, type=_DIRECTORY, help="Where the result is to be.")
@click.option("--steps", required=True, type=int, help="Updates to make; 0 only measures.")
@_option("batch_tokens", "Tokens a batch, padding counted.")
@_option("sequence_length", "Tokens of the longest rows.")
@_option("short_share", "Share of the paragraphs that are cut to one to three sentences.")
@_option("shuffle_buffer", "Rows held to be drawn from at random.")
@_option("learning_rate", "The highest one.")
@_option("warmup_steps", "Steps until it is reached.")
@_option("schedule", "How it falls to 0 after that.", Schedule)
@_option("weight_decay", "AdamW's; biases and LayerNorm do not decay.")
@_option("clip_norm", "The longest gradient, of all weights together.")
@_option("precision", "What is computed in.", Precision)
@_option("stored_precision", "Of the weights in the result.", StoredPrecision)
@_option("mask_selection_rate", "Share of the tokens that are masked.")
@_option("mask_token_rate", "Share of those that become [MASK].")
@_option("random_token_rate", "Share of those that become any token; the rest stay.")
@_option("rarity_share", "Share of the rows in which rarer tokens are likelier to be masked.")
@_option("whole_word_share", "Share of the rows in which words are masked with all their pieces.")
@_option("everywhere_share", "Share of the rows in which a content word is masked at each place.")
@click.option(
    "--row-lengths",
    default="",
    callback=_read_lengths,
    metavar="TOKENS,...",
    show_default="powers of two from 16",
    help="What rows are padded to, ascending; the longest is --sequence-length.",
)
@_option("measure_every", "Steps between measurements of the held-out text.")
@_option("save_every", "Steps between saved states.")
@_option("log_every", "Steps a line of the log.")
@_option("heldout_rows", "Rows of the held-out text to measure, at most.")
@_option("seed", "Of order, masks and dropout.")
def train(**options: Any) -> None:
    """Train a preset on text files, one paragraph a line.

    The same command goes on where a killed one stopped. The result is a directory in Transformers'
    format, which the server serves. Presets are found as the server finds them:
    FILLMASK_MODEL_STORE_DIR and FILLMASK_OFFLINE count.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    with _in_a_sentence():
        chosen = TrainingOptions(**options)
        # The runtime takes seconds to import, and every other command does without it.
        from model_store.masked_lm.training.trainer import train as train_model  # noqa: PLC0415

        with tqdm(total=chosen.steps, unit="step") as bar:
            measured = train_model(
                chosen,
                lambda record: _show(bar, record),
                directory=settings.model_store_dir,
                offline=settings.offline,
            )
    click.echo(json.dumps(asdict(measured)))


@click.command(context_settings=_SHOW_DEFAULTS)
@click.option("--init", required=True, help="The preset to measure: name, handle, directory.")
@click.option(
    "--heldout",
    required=True,
    type=_FILE,
    help="A file of UTF-8 text, packed by gzip, bzip2, xz or Zstandard or not.",
)
@click.option("--rows", type=int, default=2000, help="Rows to measure, at most.")
def evaluate(init: str, heldout: Path, rows: int) -> None:
    """Measure a preset: loss and accuracy at masks that are the same for every model.

    Presets are found as the server finds them: FILLMASK_MODEL_STORE_DIR and FILLMASK_OFFLINE count.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    with _in_a_sentence():
        from model_store.masked_lm.training.heldout import measure_preset  # noqa: PLC0415  # as above

        measured = measure_preset(
            init,
            heldout,
            rows=rows,
            directory=settings.model_store_dir,
            offline=settings.offline,
        )
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
